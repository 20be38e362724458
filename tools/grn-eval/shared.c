#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "grn-eval/eval.h"
#include "io/adjacency.h"
#include "io/container.h"

grn_status grn_eval_emit(const grn_result_t *r, const char *path)
{
    grn_status rc;
    grn_out_t *o = NULL;
    if (path) GRN_TRY(grn_result_save(r, path, grn_common.pool));
    GRN_TRY(grn_out_open(&o, "-", 0));
    GRN_TRY(grn_result_print(r, o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

grn_status grn_eval_load_edges(const char *path, grn_edges_t *e)
{
    return strcmp(path, "-") == 0 || grn_cr_sniff(path) ? grn_edges_load(path, grn_common.pool, e)
                                                        : grn_adjacency_load(path, NULL, e, NULL);
}

void grn_eval_named(const char *operand, char *name, size_t cap, const char **path)
{
    const char *eq = strchr(operand, '=');
    int whole = !eq || eq == operand || access(operand, F_OK) == 0;
    *path = whole ? operand : eq + 1;
    if (whole) snprintf(name, cap, "%s", grn_path_base(operand));
    else snprintf(name, cap, "%.*s", (int)(eq - operand), operand);
}
