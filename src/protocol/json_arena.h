#pragma once
/* Private to protocol/. */

/**
 * From begin to end what jansson wants on this thread comes out of one block, which is free again
 * at the end.  So between them every tree that is made must go.  Any thread; not nested.
 */
void json_arena_begin(void);
void json_arena_end(void);
