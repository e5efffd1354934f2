#include "proc.h"

#include "base.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Read a small file whole; false if it cannot be read. */
static bool read_file(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return false;
	size_t n = fread(to, 1, size - 1, f);

	fclose(f);
	to[n] = '\0';
	return n > 0;
}

/** Nanoseconds on a CPU, or clock ticks where the kernel keeps no schedstat. */
static bool read_cpu(pid_t pid, pid_t tid, uint64_t *ns)
{
	char path[96];
	char text[512];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid, (int)tid);
	if (read_file(path, text, sizeof(text))) {
		*ns = strtoull(text, NULL, 10);
		return true;
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	if (!read_file(path, text, sizeof(text)))
		return false;
	unsigned long long user, system;
	const char *after_name = strrchr(text, ')');

	if (after_name == NULL ||
	    sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
		   &system) != 2)
		return false;
	*ns = (user + system) * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	return true;
}

static void sample_thread(pid_t pid, pid_t tid, struct proc_sample *s)
{
	struct proc_thread *t = &s->threads[s->n_threads];
	char path[96];

	if (s->n_threads == PROC_THREADS_MAX)
		fail("the server has more than %d threads", PROC_THREADS_MAX);
	t->tid = tid;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)pid, (int)tid);
	/* A thread that ended meanwhile is left out. */
	if (!read_file(path, t->name, sizeof(t->name)) || !read_cpu(pid, tid, &t->cpu_ns))
		return;
	t->name[strcspn(t->name, "\n")] = '\0';
	s->n_threads++;
}

void proc_sample(const struct opts *o, struct proc_sample *s)
{
	s->n_threads = 0;
	for (uint32_t i = 0; i < o->n_pids; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/task", (int)o->pids[i]);
		DIR *dir = opendir(path);

		if (dir == NULL)
			fail("process %d is gone", (int)o->pids[i]);
		for (struct dirent *e; (e = readdir(dir)) != NULL;) {
			if (e->d_name[0] != '.')
				sample_thread(o->pids[i], (pid_t)atoi(e->d_name), s);
		}
		closedir(dir);
	}
	s->own_cpu_ns = own_cpu_ns();
	s->at_ns = now_ns();
}

static uint64_t thread_cpu_since(const struct proc_sample *from, const struct proc_thread *t)
{
	for (uint32_t i = 0; i < from->n_threads; i++) {
		if (from->threads[i].tid == t->tid)
			return t->cpu_ns - from->threads[i].cpu_ns;
	}
	return t->cpu_ns;
}

uint64_t proc_cpu_between(const struct proc_sample *from, const struct proc_sample *to)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < to->n_threads; i++)
		sum += thread_cpu_since(from, &to->threads[i]);
	return sum;
}

json_t *proc_threads_json(const struct proc_sample *from, const struct proc_sample *to)
{
	json_t *by_name = json_object();

	for (uint32_t i = 0; i < to->n_threads; i++) {
		const struct proc_thread *t = &to->threads[i];
		double us = (double)thread_cpu_since(from, t) / 1e3;

		us += json_number_value(json_object_get(by_name, t->name));
		json_object_set_new(by_name, t->name, json_real(us));
	}
	return by_name;
}

uint64_t proc_resident_bytes(const struct opts *o)
{
	uint64_t kib = 0;

	for (uint32_t i = 0; i < o->n_pids; i++) {
		char path[64];
		char text[1024];

		/* statm's counters lag behind by up to some hundred pages; these are walked. */
		snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)o->pids[i]);
		if (!read_file(path, text, sizeof(text)))
			fail("process %d is gone", (int)o->pids[i]);
		const char *rss = strstr(text, "Rss:");

		if (rss == NULL)
			fail("%s tells no Rss", path);
		kib += strtoull(rss + 4, NULL, 10);
	}
	return kib * 1024;
}
