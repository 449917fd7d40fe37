/* The operating system, Windows: kept building. The counterpart of os_posix.c. */
#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601 /* Windows 7 */
#endif

#include "base/io.h"
#include "base/os.h"
#include "base/pool.h"

#include <windows.h>

#include <string.h>

enum { LONGEST_PATH = 3000 }; /* two paths of UTF-16 stay under 16 KB of stack */

/* ---- Reasons: codes are GetLastError's ---- */

const char *gm__os_reason(int code)
{
    static const struct {
        DWORD code;
        const char *text;
    } reasons[] = {
        {ERROR_ACCESS_DENIED, "permission denied"},
        {ERROR_FILE_NOT_FOUND, "no such file or directory"},
        {ERROR_PATH_NOT_FOUND, "no such file or directory"},
        {ERROR_INVALID_NAME, "not a valid name"},
        {ERROR_FILE_EXISTS, "exists already"},
        {ERROR_ALREADY_EXISTS, "exists already"},
        {ERROR_FILENAME_EXCED_RANGE, "the name is too long"},
        {ERROR_TOO_MANY_OPEN_FILES, "too many open files"},
        {ERROR_DISK_FULL, "no space left on the device"},
        {ERROR_HANDLE_DISK_FULL, "no space left on the device"},
        {ERROR_WRITE_PROTECT, "the file system is read-only"},
        {ERROR_SHARING_VIOLATION, "the file is in use"},
        {ERROR_LOCK_VIOLATION, "the file is in use"},
        {ERROR_BROKEN_PIPE, "nobody is at the other end"},
        {ERROR_NOT_ENOUGH_MEMORY, "the system is out of memory"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].code == (DWORD)code)
            return reasons[i].text;
    return NULL;
}

static int failure(void)
{
    DWORD code = GetLastError();
    return code ? -(int)code : -ERROR_GEN_FAILURE;
}

/* ---- Files ---- */

/* UTF-8 to the system's UTF-16; 0 if it does not fit or is not UTF-8. */
static int widen(const char *path, wchar_t wide[LONGEST_PATH])
{
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, LONGEST_PATH);
    if (n == 0)
        SetLastError(ERROR_FILENAME_EXCED_RANGE);
    return n > 0;
}

/* Handles of the system fit 32 bits, also in 64-bit programs. */
static HANDLE handle_of(int handle)
{
    return (HANDLE)(intptr_t)handle;
}

static int open_file(const char *path, DWORD access, DWORD how)
{
    wchar_t wide[LONGEST_PATH];
    if (!widen(path, wide))
        return failure();
    HANDLE h = CreateFileW(wide, access, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, how,
                           FILE_ATTRIBUTE_NORMAL, NULL);
    return h == INVALID_HANDLE_VALUE ? failure() : (int)(intptr_t)h;
}

int gm__os_open(const char *path, int64_t *size)
{
    LARGE_INTEGER length;
    int handle = open_file(path, GENERIC_READ, OPEN_EXISTING);
    *size = -1;
    if (handle >= 0 && GetFileType(handle_of(handle)) == FILE_TYPE_DISK &&
        GetFileSizeEx(handle_of(handle), &length))
        *size = length.QuadPart;
    return handle;
}

int64_t gm__os_read(int handle, void *buffer, int64_t size)
{
    DWORD got;
    if (ReadFile(handle_of(handle), buffer, size < 1 << 30 ? (DWORD)size : 1 << 30, &got, NULL))
        return got;
    return GetLastError() == ERROR_BROKEN_PIPE ? 0 : failure(); /* a pipe's end */
}

int gm__os_write(int handle, const void *bytes, int64_t size)
{
    const char *at = bytes;
    while (size > 0) {
        DWORD put;
        if (!WriteFile(handle_of(handle), at, size < 1 << 30 ? (DWORD)size : 1 << 30, &put, NULL))
            return failure();
        at += put;
        size -= put;
    }
    return 0;
}

void gm__os_close(int handle)
{
    CloseHandle(handle_of(handle));
}

int gm__os_kind(const char *path, int *mode)
{
    wchar_t wide[LONGEST_PATH];
    *mode = 0;
    if (!widen(path, wide))
        return failure();
    DWORD attributes = GetFileAttributesW(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        DWORD code = GetLastError();
        return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND ? 0 : failure();
    }
    return attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE) ? 2 : 1;
}

int gm__os_follow(const char *path, char *out, int64_t size)
{
    if ((int64_t)strlen(path) >= size)
        return -ERROR_FILENAME_EXCED_RANGE;
    memcpy(out, path, strlen(path) + 1);
    return 0;
}

int gm__os_create(const char *path, const int *mode)
{
    (void)mode; /* files inherit what their folder says */
    return open_file(path, GENERIC_WRITE, CREATE_NEW);
}

int gm__os_open_write(const char *path)
{
    return open_file(path, GENERIC_WRITE, OPEN_EXISTING);
}

int gm__os_sync(int handle)
{
    return FlushFileBuffers(handle_of(handle)) ? 0 : failure();
}

void gm__os_sync_folder(const char *path)
{
    (void)path; /* gm__os_rename writes through */
}

int gm__os_rename(const char *from, const char *to)
{
    wchar_t wide_from[LONGEST_PATH], wide_to[LONGEST_PATH];
    if (!widen(from, wide_from) || !widen(to, wide_to))
        return failure();
    DWORD how = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    return MoveFileExW(wide_from, wide_to, how) ? 0 : failure();
}

void gm__os_remove(const char *path)
{
    wchar_t wide[LONGEST_PATH];
    if (widen(path, wide))
        DeleteFileW(wide);
}

/* ---- Clocks and processors ---- */

double gm__clock(void)
{
    LARGE_INTEGER now, rate;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&rate);
    return (double)now.QuadPart / (double)rate.QuadPart;
}

/* The system counts tenths of microseconds since 1601. */
int64_t gm__wall_time(void)
{
    FILETIME t;
    GetSystemTimeAsFileTime(&t);
    uint64_t ticks = (uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime;
    return (int64_t)(ticks / 10000000) - 11644473600;
}

void gm__os_large_pages(void *block, size_t size)
{
    (void)block, (void)size;
}

int64_t gm__os_process(void)
{
    return GetCurrentProcessId();
}

int32_t gm__processors(void)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwNumberOfProcessors < 1 ? 1 : (int32_t)info.dwNumberOfProcessors;
}

/* ---- Threads ---- */

#ifndef GM_WITHOUT_THREADS

struct gm__os_thread {
    HANDLE handle;
    void (*main)(void *arg);
    void *arg;
};

static DWORD WINAPI thread_main(void *thread)
{
    gm__os_thread *t = thread;
    t->main(t->arg);
    return 0;
}

gm__os_thread *gm__os_thread_start(const gm_allocator *a, void (*main)(void *arg), void *arg)
{
    gm__os_thread *t = gm__alloc(a, sizeof *t);
    if (!t)
        return NULL;
    t->main = main;
    t->arg = arg;
    t->handle = CreateThread(NULL, 0, thread_main, t, 0, NULL);
    if (!t->handle) {
        gm__free(a, t, sizeof *t);
        return NULL;
    }
    return t;
}

void gm__os_thread_join(const gm_allocator *a, gm__os_thread *thread)
{
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    gm__free(a, thread, sizeof *thread);
}

void gm__os_thread_forget(const gm_allocator *a, gm__os_thread *thread)
{
    gm__free(a, thread, sizeof *thread);
}

struct gm__os_monitor {
    SRWLOCK lock;
    CONDITION_VARIABLE queue[2];
};

gm__os_monitor *gm__os_monitor_create(const gm_allocator *a)
{
    gm__os_monitor *m = gm__alloc(a, sizeof *m);
    if (!m)
        return NULL;
    InitializeSRWLock(&m->lock);
    InitializeConditionVariable(&m->queue[0]);
    InitializeConditionVariable(&m->queue[1]);
    return m;
}

void gm__os_monitor_free(const gm_allocator *a, gm__os_monitor *m, int after_fork)
{
    (void)after_fork;
    gm__free(a, m, sizeof *m);
}

void gm__os_lock(gm__os_monitor *m)
{
    AcquireSRWLockExclusive(&m->lock);
}

void gm__os_unlock(gm__os_monitor *m)
{
    ReleaseSRWLockExclusive(&m->lock);
}

void gm__os_wait(gm__os_monitor *m, int queue)
{
    SleepConditionVariableSRW(&m->queue[queue], &m->lock, INFINITE, 0);
}

void gm__os_wake_one(gm__os_monitor *m, int queue)
{
    WakeConditionVariable(&m->queue[queue]);
}

void gm__os_wake_all(gm__os_monitor *m, int queue)
{
    WakeAllConditionVariable(&m->queue[queue]);
}

#endif
#else
typedef int gm__os_windows_is_empty;
#endif
