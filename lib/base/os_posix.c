/* The operating system, POSIX (Linux, macOS, BSD): the only file here with system calls. */
#ifdef __linux__
#define _GNU_SOURCE /* sched_getaffinity */
#else
#define _XOPEN_SOURCE 700
#endif

#ifndef _WIN32

#include "base/io.h"
#include "base/os.h"
#include "base/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h> /* sched_getaffinity */
#include <stdio.h> /* rename; no stream is used */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h> /* madvise */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifndef GM_WITHOUT_THREADS
#include <pthread.h>
#include <signal.h>
#endif

/* ---- Reasons ---- */

const char *gm__os_reason(int code)
{
    static const struct {
        int code;
        const char *text;
    } reasons[] = {
        {EACCES, "permission denied"},
        {EPERM, "operation not permitted"},
        {ENOENT, "no such file or directory"},
        {ENOTDIR, "a part of the path is not a directory"},
        {EISDIR, "is a directory"},
        {EEXIST, "exists already"},
        {ENAMETOOLONG, "the name is too long"},
        {ELOOP, "too many links"},
        {EMFILE, "too many open files in this process"},
        {ENFILE, "too many open files in this system"},
        {ENOSPC, "no space left on the device"},
        {EDQUOT, "the disk quota is used up"},
        {EFBIG, "the file is too large"},
        {EROFS, "the file system is read-only"},
        {EIO, "input or output error"},
        {EPIPE, "nobody reads the other end"},
        {ENXIO, "no such device"},
        {ETXTBSY, "the file is being executed"},
        {EBUSY, "the file is in use"},
        {EAGAIN, "not ready"},
        {EINVAL, "not possible with this kind of file"},
        {EBADF, "the file is closed"},
        {ENOMEM, "the system is out of memory"},
        {EXDEV, "on another file system"},
        {ESPIPE, "cannot seek"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].code == code)
            return reasons[i].text;
    return NULL;
}

/* ---- Files ---- */

static int open_retrying(const char *path, int flags, mode_t mode)
{
    int handle;
    do
        handle = open(path, flags | O_CLOEXEC, mode);
    while (handle < 0 && errno == EINTR);
    return handle < 0 ? -errno : handle;
}

int gm__os_open(const char *path, int64_t *size)
{
    struct stat s;
    int handle = open_retrying(path, O_RDONLY, 0);
    *size = -1;
    if (handle >= 0 && fstat(handle, &s) == 0 && S_ISREG(s.st_mode))
        *size = s.st_size;
    return handle;
}

int64_t gm__os_read(int handle, void *buffer, int64_t size)
{
    ssize_t got;
    if (size > 1 << 30)
        size = 1 << 30;
    do
        got = read(handle, buffer, (size_t)size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

int gm__os_write(int handle, const void *bytes, int64_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t put = write(handle, at, (size_t)(size < 1 << 30 ? size : 1 << 30));
        if (put < 0 && errno != EINTR)
            return -errno;
        if (put > 0) {
            at += put;
            size -= put;
        }
    }
    return 0;
}

void gm__os_close(int handle)
{
    close(handle);
}

int gm__os_kind(const char *path, int *mode)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return errno == ENOENT ? 0 : -errno;
    *mode = s.st_mode & 07777;
    return S_ISREG(s.st_mode) ? 1 : 2;
}

int gm__os_follow(const char *path, char *out, int64_t size)
{
    char resolved[PATH_MAX];
    struct stat s;
    const char *to = path;
    if (lstat(path, &s) == 0 && S_ISLNK(s.st_mode)) {
        to = realpath(path, resolved);
        if (!to)
            return -errno;
    }
    if ((int64_t)strlen(to) >= size)
        return -ENAMETOOLONG;
    memcpy(out, to, strlen(to) + 1);
    return 0;
}

int gm__os_create(const char *path, const int *mode)
{
    int handle = open_retrying(path, O_WRONLY | O_CREAT | O_EXCL, mode ? 0600 : 0666);
    if (handle >= 0 && mode && fchmod(handle, (mode_t)*mode) != 0) {
        int code = -errno;
        close(handle);
        unlink(path);
        return code;
    }
    return handle;
}

int gm__os_open_write(const char *path)
{
    return open_retrying(path, O_WRONLY | O_NOCTTY, 0);
}

int gm__os_sync(int handle)
{
    int failed;
    do
        failed = fsync(handle);
    while (failed && errno == EINTR);
    return failed && errno != EINVAL && errno != ENOSYS ? -errno : 0;
}

/* So that the new name survives a power cut. Some file systems cannot: no failure. */
void gm__os_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + (slash == path) : 1;
    if (length >= sizeof folder)
        return;
    memcpy(folder, slash ? path : ".", length);
    folder[length] = 0;
    int handle = open_retrying(folder, O_RDONLY, 0);
    if (handle >= 0) {
        gm__os_sync(handle);
        close(handle);
    }
}

int gm__os_rename(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : -errno;
}

void gm__os_remove(const char *path)
{
    unlink(path);
}

/* ---- Clocks and processors ---- */

double gm__clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int64_t gm__wall_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

int64_t gm__os_process(void)
{
    return getpid();
}

void gm__os_large_pages(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    int before = errno;
    madvise(block, size, MADV_HUGEPAGE);
    errno = before;
#else
    (void)block, (void)size;
#endif
}

int32_t gm__processors(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 1024 ? 1024 : (int32_t)n;
}

/* ---- Threads ---- */

#ifndef GM_WITHOUT_THREADS

struct gm__os_thread {
    pthread_t id;
    void (*main)(void *arg);
    void *arg;
};

static void *thread_main(void *thread)
{
    gm__os_thread *t = thread;
    t->main(t->arg);
    return NULL;
}

gm__os_thread *gm__os_thread_start(const gm_allocator *a, void (*main)(void *arg), void *arg)
{
    sigset_t all, before;
    gm__os_thread *t = gm__alloc(a, sizeof *t);
    if (!t)
        return NULL;
    t->main = main;
    t->arg = arg;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it */
    int failed = pthread_create(&t->id, NULL, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        gm__free(a, t, sizeof *t);
        return NULL;
    }
    return t;
}

void gm__os_thread_join(const gm_allocator *a, gm__os_thread *thread)
{
    pthread_join(thread->id, NULL);
    gm__free(a, thread, sizeof *thread);
}

void gm__os_thread_forget(const gm_allocator *a, gm__os_thread *thread)
{
    gm__free(a, thread, sizeof *thread);
}

struct gm__os_monitor {
    pthread_mutex_t lock;
    pthread_cond_t queue[2];
};

gm__os_monitor *gm__os_monitor_create(const gm_allocator *a)
{
    gm__os_monitor *m = gm__alloc(a, sizeof *m);
    if (!m)
        return NULL;
    pthread_mutex_init(&m->lock,
                       NULL); /* without attributes these cannot fail on the systems supported */
    pthread_cond_init(&m->queue[0], NULL);
    pthread_cond_init(&m->queue[1], NULL);
    return m;
}

void gm__os_monitor_free(const gm_allocator *a, gm__os_monitor *m, int after_fork)
{
    if (!after_fork) { /* else a lost thread may hold or wait for them */
        pthread_mutex_destroy(&m->lock);
        pthread_cond_destroy(&m->queue[0]);
        pthread_cond_destroy(&m->queue[1]);
    }
    gm__free(a, m, sizeof *m);
}

void gm__os_lock(gm__os_monitor *m)
{
    pthread_mutex_lock(&m->lock);
}

void gm__os_unlock(gm__os_monitor *m)
{
    pthread_mutex_unlock(&m->lock);
}

void gm__os_wait(gm__os_monitor *m, int queue)
{
    pthread_cond_wait(&m->queue[queue], &m->lock);
}

void gm__os_wake_one(gm__os_monitor *m, int queue)
{
    pthread_cond_signal(&m->queue[queue]);
}

void gm__os_wake_all(gm__os_monitor *m, int queue)
{
    pthread_cond_broadcast(&m->queue[queue]);
}

#endif
#else
typedef int gm__os_posix_is_empty;
#endif
