/* Every operating-system call of the library, one implementation file a system. */
#ifndef GM__OS_H
#define GM__OS_H

#include "base/alloc.h"

/* ---- Files. A failure is a negative errno value; gm__os_reason puts it into words. ---- */

/* In a few words, without the locale; NULL for a code that has none here. */
const char *gm__os_reason(int code);
/* A handle (at least 0) for reading; *size is the length of a regular file, else -1. */
int gm__os_open(const char *path, int64_t *size);
int64_t gm__os_read(int handle, void *buffer, int64_t size);   /* 0 at the end */
int gm__os_write(int handle, const void *bytes, int64_t size); /* all of them */
void gm__os_close(int handle);

/* What stands at a path: 0 nothing, 1 a regular file with permissions *mode, 2 anything else. Links
 * are followed. */
int gm__os_kind(const char *path, int *mode);
/* Where a path leads when it is a link, into out (size bytes); else the path itself. */
int gm__os_follow(const char *path, char *out, int64_t size);
/* A new file that must not exist yet, with permissions *mode (NULL: what umask leaves of 0666). */
int gm__os_create(const char *path, const int *mode);
int gm__os_open_write(const char *path);
int gm__os_sync(int handle);
void gm__os_sync_folder(const char *path);
int gm__os_rename(const char *from, const char *to);
void gm__os_remove(const char *path);

/* ---- Threads ---- */

typedef struct gm__os_thread gm__os_thread;
/* Runs main(arg) on a new thread that takes no signals; NULL if there can be none. */
gm__os_thread *gm__os_thread_start(const gm_allocator *a, void (*main)(void *arg), void *arg);
void gm__os_thread_join(const gm_allocator *a, gm__os_thread *thread);
/* Forgets a thread that fork left behind. */
void gm__os_thread_forget(const gm_allocator *a, gm__os_thread *thread);

/* A lock with two queues to wait in. */
typedef struct gm__os_monitor gm__os_monitor;
gm__os_monitor *gm__os_monitor_create(const gm_allocator *a);
void gm__os_monitor_free(const gm_allocator *a, gm__os_monitor *m, int after_fork);
void gm__os_lock(gm__os_monitor *m);
void gm__os_unlock(gm__os_monitor *m);
void gm__os_wait(gm__os_monitor *m, int queue); /* locked */
void gm__os_wake_one(gm__os_monitor *m, int queue);
void gm__os_wake_all(gm__os_monitor *m, int queue);

int64_t gm__os_process(void); /* the number of this process */
/* Asks for pages of GM__LARGE_PAGE bytes, where the system leaves them to those who ask (Linux's
 * "madvise"). block is aligned to such a page and holds whole ones up to `size`. */
#define GM__LARGE_PAGE ((size_t)1 << 21)
void gm__os_large_pages(void *block, size_t size);

#endif
