/* The one file of the tool that knows the operating system. */
#define _DEFAULT_SOURCE
#include "system.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int system_terminal_width(FILE *stream)
{
    struct winsize size;

    if (!isatty(fileno(stream)))
        return 0;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

/* A signal handler can reach nothing else. Tripping a token is one atomic store. */
static gm_cancel *volatile interrupted_token;

static void on_interrupt(int number)
{
    gm_cancel *token = interrupted_token;

    signal(number, SIG_DFL);
    if (token)
        gm_cancel_trip(token);
}

void system_trip_on_interrupt(gm_cancel *token)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct sigaction action, before;
    int i;

    interrupted_token = token;
    memset(&action, 0, sizeof action);
    action.sa_handler = token ? on_interrupt : SIG_DFL;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (i = 0; i < 2; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
}

int system_is_special(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}

/* The folder that a path's file is in; -1 if that is too long. */
static int find_folder(const char *path, char folder[4096])
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;

    if (length >= 4096)
        return -1;
    if (!slash)
        strcpy(folder, ".");
    else if (!length)
        strcpy(folder, "/");
    else {
        memcpy(folder, path, length);
        folder[length] = 0;
    }
    return 0;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int one_place(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int system_same_file(const char *a, const char *b)
{
    char folder_a[4096], folder_b[4096];
    struct stat at_a, at_b;
    int have_a = stat(a, &at_a) == 0, have_b = stat(b, &at_b) == 0;

    if (have_a || have_b)
        return have_a && have_b && S_ISREG(at_a.st_mode) && one_place(&at_a, &at_b);
    return !strcmp(last_name(a), last_name(b)) && !find_folder(a, folder_a) &&
           !find_folder(b, folder_b) && stat(folder_a, &at_a) == 0 && stat(folder_b, &at_b) == 0 &&
           one_place(&at_a, &at_b);
}

const char *system_cannot_write(const char *path)
{
    char folder[4096];
    struct stat about;

    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return strerror(EISDIR);
    if (system_is_special(path))
        return access(path, W_OK) ? strerror(errno) : NULL;
    if (find_folder(path, folder))
        return strerror(ENAMETOOLONG);
    return access(folder, W_OK | X_OK) ? strerror(errno) : NULL;
}

double system_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
