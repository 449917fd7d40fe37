/* Status codes and what they mean. */
#include "genmod/base.h"

typedef struct row {
    gm_status code;
    const char *name, *text;
} row;

static const row rows[] = {
    {GM_OK, "GM_OK", "no failure"},
    {GM_E_ARG, "GM_E_ARG", "an argument is missing or contradicts another"},
    {GM_E_RANGE, "GM_E_RANGE", "a value lies outside its range"},
    {GM_E_UNKNOWN, "GM_E_UNKNOWN", "nothing has that name"},
    {GM_E_STAGE, "GM_E_STAGE", "the option can no longer act at this stage"},
    {GM_E_SHAPE, "GM_E_SHAPE", "sizes do not fit together"},
    {GM_E_UNSUPPORTED, "GM_E_UNSUPPORTED", "this object does not answer this call"},
    {GM_E_SEED, "GM_E_SEED", "the call draws random numbers and was given no seed"},
    {GM_E_BUSY, "GM_E_BUSY", "the context is in use"},
    {GM_E_STATE, "GM_E_STATE", "not possible in the object's present state"},
    {GM_E_MEMORY, "GM_E_MEMORY", "out of memory"},
    {GM_E_IO, "GM_E_IO", "a read or write failed"},
    {GM_E_SYSTEM, "GM_E_SYSTEM", "an operating system call failed"},
    {GM_E_DATA, "GM_E_DATA", "a value in the data is malformed"},
    {GM_E_FORMAT, "GM_E_FORMAT", "a file is malformed"},
    {GM_E_VERSION, "GM_E_VERSION", "a file needs a newer library"},
    {GM_E_CHECKSUM, "GM_E_CHECKSUM", "a file's checksum does not match its contents"},
    {GM_E_NONFINITE, "GM_E_NONFINITE", "a loss stayed infinite or not a number"},
    {GM_E_CANCELLED, "GM_E_CANCELLED", "cancelled"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const row *find(gm_status code)
{
    for (int i = 0; i < ROWS; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

const char *gm_status_text(gm_status code)
{
    const row *r = find(code);
    return r ? r->text : "not a status code";
}

const char *gm_status_name(gm_status code)
{
    const row *r = find(code);
    return r ? r->name : NULL;
}

gm_status gm_status_at(int32_t i)
{
    return i >= 0 && i < ROWS ? rows[i].code : 1;
}
