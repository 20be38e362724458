#include "outdir.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

grn_status grn_outdir_make(const char *dir)
{
    return mkdir(dir, 0777) && errno != EEXIST ? grn_err(GRN_EIO, "cannot make the folder '%s': %s", dir, strerror(errno)) : GRN_OK;
}

grn_status grn_outdir_name(const char *label, grn_names_t *taken, grn_str_t *out)
{
    grn_status rc = GRN_OK;
    int is_new = 0;
    for (int k = 1; !is_new; k++) {
        out->n = 0;
        GRN_TRY(grn_str_puts(out, label));
        for (size_t i = 0; i < out->n; i++)
            if (!isalnum((unsigned char)out->s[i]) && !strchr("._-", out->s[i])) out->s[i] = '_';
        if (out->s[0] == '.') out->s[0] = '_';
        if (k > 1) GRN_TRY(grn_str_printf(out, "_%d", k));
        GRN_TRY(grn_names_add(taken, out->s, NULL, &is_new));
    }
end:
    return rc;
}
