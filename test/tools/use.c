/* What an installed library must let a stranger do: include it, link it, ask it something. */
#include <genmod/genmod.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    gm_context *ctx = NULL;
    if (gm_context_create(NULL, &ctx) != GM_OK)
        return 1;
    int same = strcmp(gm_version(), GM_VERSION) == 0;
    printf("%s\n", gm_version());
    gm_context_free(ctx);
    return same ? 0 : 1;
}
