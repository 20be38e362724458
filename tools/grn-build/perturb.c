#include "perturb.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "perturb_priv.h"

#define DEFAULT_BUDGET ((uint64_t)1 << 30) /* bytes of a block without --max-mem */

static void perturb_clear(grn_perturb_t *p)
{
    grn_perturb_models_clear(&p->models);
    grn_perturb_net_clear(&p->net);
    grn_types_clear(&p->types);
    grn_cells_clear(&p->cells);
    grn_colsrc_close(&p->rna);
    grn_funnel_clear(&p->funnel);
}

static grn_status open_matrix(grn_perturb_t *p)
{
    grn_status rc = GRN_OK;
    const grn_perturb_opt_t *o = p->opt;
    GRN_TRY(grn_colsrc_open(&p->rna, o->rna, &o->rna_opt, o->expression, grn_common.pool));
    GRN_TRY(grn_cells_match(&p->rna.info->row, o->rna, NULL, NULL, &p->cells));
    if (!o->summary) goto end;
    GRN_TRY(grn_types_load(p->rna.info, NULL, NULL, &p->types));
    if (p->types.is_default) grn_log_warn("no cell types: every cell is of type 'all' (--cells TSV gives them)");
    else if (p->types.n_unknown) grn_log_warn("%zu cells without a type are not in the summary", p->types.n_unknown);
end:
    return rc;
}

static grn_status count_values(grn_perturb_t *p)
{
    grn_status rc = grn_colsrc_use(&p->rna, p->cells.a, p->cells.n);
    if (rc) return rc;
    grn_log_info("%zu cells, expression scale: %s", p->cells.n,
                 p->opt->expression == GRN_SCALE_LOGNORM ? "log(1 + 10,000 x / total of the cell)" : "as read");
    if (!p->rna.is_counts && p->opt->expression == GRN_SCALE_LOGNORM)
        grn_log_warn("'%s' does not hold whole numbers: if it is normalised already, give --expression raw", p->opt->rna);
    return GRN_OK;
}

/* The outputs are opened before the work, which may be long. */
static grn_status work(grn_perturb_t *p)
{
    grn_status rc = GRN_OK;
    grn_perturb_result_t r = { .fd = -1 };
    grn_mw_t *w = NULL;
    grn_out_t *o = NULL;
    GRN_TRY(grn_perturb_open_output(p, &w));
    if (p->opt->summary) GRN_TRY(grn_out_open(&o, p->opt->summary, 0));
    GRN_TRY(grn_perturb_fit(p));
    GRN_TRY(grn_perturb_cells(p, &r));
    if (r.n_guarded) {
        grn_log_warn("%" PRIu64 " times a value stayed as it was: its gene was predicted to be about 0, which --compat would divide by",
                     r.n_guarded);
    }
    if (o) rc = grn_perturb_write_summary(p, &r, o);
    o = NULL;
    if (rc) goto end;
    rc = grn_perturb_write(p, &r, w);
    w = NULL;
    if (rc) goto end;
    grn_log_info("%" PRIu64 " values of %zu cells x %zu genes change", r.n_all, p->cells.n, p->net.n_out);
    if (r.n_all == 0)
        rc = grn_err(GRN_EEMPTY, "no value changes: the perturbed genes have these values already; '%s' is empty", p->opt->out);
end:
    grn_out_abort(o);
    if (w) grn_mw_abort(w);
    grn_perturb_result_clear(&r);
    return rc;
}

grn_status grn_perturb_run(const grn_perturb_opt_t *opt)
{
    grn_status rc = GRN_OK;
    grn_perturb_t p = { .opt = opt, .models = { .fd = -1 } };
    p.budget = grn_common.max_mem ? grn_common.max_mem / 4 : DEFAULT_BUDGET;
    GRN_TRY(open_matrix(&p));
    GRN_TRY(grn_perturb_net(opt, &p.rna, &p.funnel, &p.net));
    GRN_TRY(count_values(&p));
    GRN_TRY(work(&p));
end:
    perturb_clear(&p);
    return rc;
}
