#include "base/staging.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

static grn_status join(char **out, const char *dir, const char *name)
{
    grn_str_t s = { 0 };
    grn_status rc = grn_str_printf(&s, "%s/%s", dir, name);
    if (rc) grn_str_clear(&s);
    *out = s.s;
    return rc;
}

/* A folder that was not there before; registered for removal. */
static grn_status make_folder(grn_staging_t *s, char *path, int may_exist, int *made)
{
    *made = mkdir(path, 0777) == 0;
    if (*made) s->slot[s->n_slot++] = grn_pending_add(path);
    else if (!may_exist || errno != EEXIST) return grn_err(GRN_EIO, "cannot make the folder '%s': %s", path, strerror(errno));
    return GRN_OK;
}

/* The files that are still there, the folders that are empty, and the memory. */
static void clear(grn_staging_t *s)
{
    for (size_t i = 0; i < s->n; i++) unlink(s->from[i]);
    if (s->made_path) rmdir(s->path);
    if (s->made_dir) rmdir(s->dir);
    for (size_t i = 0; i < s->n_slot; i++) grn_pending_drop(s->slot[i]);
    for (size_t i = 0; i < GRN_STAGING_MAX; i++) {
        free(s->from[i]);
        free(s->to[i]);
    }
    free(s->path);
    free(s->dir);
    *s = (grn_staging_t){ 0 };
}

grn_status grn_staging_open(grn_staging_t *s, const char *dir, const char *const *files, size_t n)
{
    grn_status rc = GRN_OK;
    char name[64];
    *s = (grn_staging_t){ 0 };
    if (n > GRN_STAGING_MAX) return grn_err(GRN_EINVAL, "%zu files are too many to appear together", n);
    snprintf(name, sizeof name, GRN_STAGING_PREFIX "%ld", (long)getpid());
    if (!(s->dir = strdup(dir))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    for (size_t k = strlen(s->dir); k > 1 && s->dir[k - 1] == '/'; k--) s->dir[k - 1] = 0;
    GRN_TRY(join(&s->path, s->dir, name));
    for (size_t i = 0; i < n; i++) {
        GRN_TRY(join(&s->from[i], s->path, files[i]));
        GRN_TRY(join(&s->to[i], s->dir, files[i]));
    }
    grn_signals_hold(); /* no folder without a registered name */
    rc = make_folder(s, s->dir, 1, &s->made_dir);
    if (!rc) rc = make_folder(s, s->path, 0, &s->made_path);
    for (; !rc && s->n < n; s->n++) s->slot[s->n_slot++] = grn_pending_add(s->from[s->n]);
    grn_signals_release();
end:
    if (rc) clear(s);
    return rc;
}

grn_status grn_staging_commit(grn_staging_t *s)
{
    grn_status rc = GRN_OK;
    grn_signals_hold();
    for (size_t i = 0; i < s->n && !rc; i++) {
        if (access(s->from[i], F_OK) != 0) continue;
        if (rename(s->from[i], s->to[i]) != 0) rc = grn_err(GRN_EIO, "cannot write '%s': %s", s->to[i], strerror(errno));
    }
    clear(s);
    grn_signals_release();
    return rc;
}

void grn_staging_abort(grn_staging_t *s)
{
    if (s->path) clear(s);
}
