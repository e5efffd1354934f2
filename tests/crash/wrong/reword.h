#pragma once

/** @sql with @from, where it is in it, replaced by @to, which is as long.  On the heap. */
char *reword(const char *sql, const char *from, const char *to);
