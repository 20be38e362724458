/* Files that appear together: they are made in a folder of their own, DIR/.grn.tmp.PID, and move into DIR when all are whole.
 *
 * A run that fails or is ended by a signal removes the files, that folder, and DIR if it made it; a signal during the moves waits
 * for them. (A run killed outright leaves the hidden folder and nothing that looks like a result.) One thread at a time. */
#ifndef GRN_BASE_STAGING_H
#define GRN_BASE_STAGING_H

#include <stddef.h>

#include "base/err.h"

#define GRN_STAGING_PREFIX ".grn.tmp."
#define GRN_STAGING_MAX 32 /* files */

typedef struct {
    char *dir, *path;                                  /* where the files go; where they are made */
    char *from[GRN_STAGING_MAX], *to[GRN_STAGING_MAX]; /* each file in `path` and in `dir` */
    size_t n, slot[GRN_STAGING_MAX + 2], n_slot;
    int made_dir, made_path;
} grn_staging_t;

/* Makes DIR, if it is missing, and the folder in it. `files`: the n names that may be written to s->path (32 at most); those that
 * are not written do not matter. On failure s is cleared and nothing is left. */
grn_status grn_staging_open(grn_staging_t *s, const char *dir, const char *const *files, size_t n) GRN_MUST_USE;
/* Moves the files into DIR, over what is there. GRN_EIO names the file that cannot move (those before it have). Clears s. */
grn_status grn_staging_commit(grn_staging_t *s) GRN_MUST_USE;
void grn_staging_abort(grn_staging_t *s); /* removes everything; accepts a zeroed or finished one */

#endif
