/*
 * Whether the open files are those that a restart would find.
 */
#include "store/in_place.h"
#include "hubbub/clock.h"
#include "hubbub/log.h"
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A file that is put over another by a rename shows in its folder as moved there. */
#define EVENTS \
	(IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

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

void in_place_watch_open(struct in_place_watch *w, const char *dir)
{
	*w = (struct in_place_watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
	if (w->fd >= 0 && inotify_add_watch(w->fd, dir, EVENTS) >= 0)
		return;
	log_debug("store: cannot watch %s, so it is looked at for each commit: %s", dir,
		  strerror(errno));
	in_place_watch_close(w);
}

void in_place_watch_close(struct in_place_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

bool in_place_watch_is_quiet(struct in_place_watch *w)
{
	char events[4096];

	if (w->fd < 0)
		return false;
	/* Which they are does not matter.  What is left of many makes it look again the next time.
	 */
	if (read(w->fd, events, sizeof(events)) >= 0 || errno != EAGAIN)
		w->looked_ms = 0;
	return w->looked_ms != 0 && clock_mono_ms() - w->looked_ms < IN_PLACE_LOOK_MS;
}

void in_place_watch_looked(struct in_place_watch *w, bool in_place)
{
	w->looked_ms = in_place ? clock_mono_ms() : 0;
}
