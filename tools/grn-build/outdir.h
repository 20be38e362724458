/* Folders with one file per label. */
#ifndef GRN_BUILD_OUTDIR_H
#define GRN_BUILD_OUTDIR_H

#include "base/names.h"
#include "base/str.h"

/* Makes the folder, if it is missing. GRN_EIO. */
grn_status grn_outdir_make(const char *dir) GRN_MUST_USE;
/* A label as a file name: letters, digits, dot, dash and underscore; the rest become underscores, a name that is in `taken` gets a
 * number. It is added to `taken` and put into out. */
grn_status grn_outdir_name(const char *label, grn_names_t *taken, grn_str_t *out) GRN_MUST_USE;

#endif
