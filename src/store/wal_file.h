#pragma once
/* Private to store/. */

/**
 * The name of a VFS for the writer's connection: the process's own, except that what goes to the
 * write-ahead log is gathered.  Any thread; NULL when SQLite has no memory to know it.
 */
const char *wal_file_vfs(void);
