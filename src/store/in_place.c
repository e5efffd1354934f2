/*
 * Whether the open files are those that a restart would find.
 */
#include "store/in_place.h"
#include <errno.h>

int in_place_note(struct in_place_file *f)
{
	struct stat st;

	if (stat(f->path, &st) != 0)
		return -errno;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	return 0;
}

int in_place_check(const struct in_place_file *f)
{
	struct stat st;

	if (stat(f->path, &st) != 0)
		return -errno;
	return st.st_dev == f->dev && st.st_ino == f->ino ? 0 : -ESTALE;
}
