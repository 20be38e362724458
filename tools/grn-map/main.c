/* grn-map: query cells onto reference cells: types, activity bits, and when to abstain. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "mapping.h"
#include "pca.h"

static struct {
    const char *reference, *as, *metric, *weights, *hold_out, *activity, *save_activity, *out, *report, *curve;
    grn_counts_cli_t read;
    grn_opt_list_t labels;
    int64_t pcs, genes, k, folds, hold_out_cells, neighbours;
    double accuracy, far;
    int leave_out_types, posterior, keep_abstained;
} opt = { .as = "auto",
          .metric = "cosine",
          .weights = "gaussian",
          .hold_out = "auto",
          .out = "-",
          .read = GRN_COUNTS_CLI_INIT,
          .pcs = 50,
          .genes = 2000,
          .k = 15,
          .folds = 5,
          .hold_out_cells = 10000,
          .neighbours = 5,
          .accuracy = 0.95,
          .far = 0.05 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('r', "reference", "FILE", &opt.reference, "labelled reference cells: counts or an embedding, as the query"),
    GRN_COUNTS_OPTIONS(opt.read),
    GRN_OPT_LIST(0, "label", "COLUMN", &opt.labels, "label to inherit, may be given several times; the first one decides [cell_type]"),
    GRN_OPT_ENUM(0, "as", "auto|counts|embedding", &opt.as, "what the files hold; auto: an embedding when dense in our container"),
    GRN_OPT_HEAD("Space of counts"),
    GRN_OPT_INT(0, "pcs", "INT", &opt.pcs, 1, PCA_MAX, "principal components of the reference"),
    GRN_OPT_INT(0, "genes", "INT", &opt.genes, 0, 10000000, "genes of largest variance in the reference; 0: all that are shared"),
    GRN_OPT_HEAD("Neighbours"),
    GRN_OPT_INT('k', "nearest", "INT", &opt.k, 1, 1000, "reference cells that vote"),
    GRN_OPT_ENUM(0, "metric", "cosine|euclidean", &opt.metric, "distance between cells"),
    GRN_OPT_ENUM(0, "weights", "gaussian|uniform", &opt.weights, "weight of a vote by distance"),
    GRN_OPT_HEAD("Abstaining"),
    GRN_OPT_FLT(0, "accuracy", "FLOAT", &opt.accuracy, 0, 1, "of the held-out reference cells that do not abstain"),
    GRN_OPT_FLT(0, "far", "FLOAT", &opt.far, 0, 1, "p-value of the distance below which it counts against a cell; 0: never"),
    GRN_OPT_INT(0, "folds", "INT", &opt.folds, 2, 1000, "parts of the reference that are held out in turn"),
    GRN_OPT_INT(0, "hold-out-cells", "INT", &opt.hold_out_cells, 1, 4000000000.0,
                "cells to judge by; no further part is held out after these"),
    GRN_OPT_ENUM(0, "hold-out", "auto|cell|donor", &opt.hold_out, "hold out whole donors; auto: where there are 3 or more"),
    GRN_OPT_FLAG(0, "leave-out-types", &opt.leave_out_types, "also map cells of each type onto a reference without it"),
    GRN_OPT_HEAD("Activity"),
    GRN_OPT_STR('a', "activity", "FILE", &opt.activity, "bits of the reference cells (grn.activity)"),
    GRN_OPT_STR(0, "save-activity", "FILE", &opt.save_activity, "write the inherited bits of the query cells"),
    GRN_OPT_FLAG(0, "posterior", &opt.posterior, "also store the share of the votes for every bit"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "one row per query cell (TSV)"),
    GRN_OPT_FLAG(0, "keep-abstained", &opt.keep_abstained, "cells that abstain keep the best label and bits"),
    GRN_OPT_INT(0, "neighbours", "INT", &opt.neighbours, 0, 1000, "nearest reference cells to name"),
    GRN_OPT_STR(0, "report", "FILE", &opt.report, "what held-out cells tell: accuracy by distance, cut, type, regulon (TSV)"),
    GRN_OPT_STR(0, "curve", "FILE", &opt.curve, "accuracy against coverage (grn.result, for grn-plot curve)"),
    GRN_OPT_END,
};

static grn_status check_options(void)
{
    if (!opt.reference) return grn_err(GRN_EUSAGE, "no reference: give -r FILE");
    if (strcmp(opt.reference, "-") == 0) return grn_err(GRN_EUSAGE, "the reference cannot come from stdin; only the query can");
    if (opt.save_activity && !opt.activity) return grn_err(GRN_EUSAGE, "--save-activity needs --activity");
    if (opt.posterior && !opt.save_activity) return grn_err(GRN_EUSAGE, "--posterior needs --save-activity");
    if (opt.labels.n > GRN_COUNTS_ALSO_MAX)
        return grn_err(GRN_EUSAGE, "%zu labels; %d are possible", opt.labels.n, GRN_COUNTS_ALSO_MAX);
    return GRN_OK;
}

static knn_metric metric(void)
{
    return strcmp(opt.metric, "cosine") == 0 ? KNN_COSINE : KNN_EUCLIDEAN;
}

static grn_status check_points(const points_t *p, const char *path)
{
    if (p->n == 0) return grn_err(GRN_EEMPTY, "'%s' holds no cell", path);
    if (metric() == KNN_EUCLIDEAN) return GRN_OK;
    size_t i = knn_no_length(p->x, p->n, p->d);
    return i < p->n ? grn_err(GRN_EINVAL, "'%s': all dimensions of cell '%s' are 0; the cosine needs a direction", path,
                              grn_names_get(&p->name, i))
                    : GRN_OK;
}

static grn_status load(const char *query, space_t *s)
{
    grn_status rc = GRN_OK;
    const points_t *r = &s->reference, *q = &s->query;
    grn_counts_opt_t read;
    GRN_TRY(grn_counts_cli(&opt.read, &read));
    read.also = opt.labels.v;
    read.n_also = opt.labels.n;
    space_opt_t o = { strcmp(opt.as, "counts") == 0      ? SPACE_COUNTS
                      : strcmp(opt.as, "embedding") == 0 ? SPACE_EMBEDDING
                                                         : SPACE_AUTO,
                      (uint32_t)opt.pcs, (size_t)opt.genes, grn_common.seed, &read };
    GRN_TRY(space_load(opt.reference, query, &o, grn_common.pool, s));
    GRN_TRY(check_points(r, opt.reference));
    GRN_TRY(check_points(q, query));
    if ((uint64_t)opt.k >= r->n)
        GRN_FAIL(GRN_EINVAL, "'%s' has %zu cells; more than -k %lld are needed", opt.reference, r->n, (long long)opt.k);
    size_t same = 0;
    for (size_t i = 0; i < q->n; i++) same += grn_names_find(&r->name, grn_names_get(&q->name, i)) != GRN_NAMES_NONE;
    if (same) grn_log_warn("%zu query cells are named as reference cells: if they are the same cells, they map onto themselves", same);
end:
    return rc;
}

static grn_status find_label(const points_t *r, const char *name, const grn_attr_t **out)
{
    grn_status rc = GRN_OK;
    grn_str_t have = { 0 };
    const grn_attr_t *a = grn_attr_find(&r->attr, name);
    *out = a;
    if (a && a->code && a->levels.n) return GRN_OK;
    for (size_t i = 0; i < r->attr.n; i++)
        if (r->attr.a[i].code) GRN_TRY(grn_str_printf(&have, "%s%s", have.n ? ", " : "", r->attr.a[i].name));
    rc = grn_err(GRN_EINVAL, "'%s' has no label '%s'; it has: %s (--cells, --cell-type, --label)", opt.reference, name,
                 have.n ? have.s : "none");
end:
    grn_str_clear(&have);
    return rc;
}

static grn_status find_labels(const points_t *r, const grn_attr_t **label, size_t *n)
{
    grn_status rc = GRN_OK;
    *n = opt.labels.n ? opt.labels.n : 1;
    for (size_t l = 0; l < *n; l++) GRN_TRY(find_label(r, opt.labels.n ? opt.labels.v[l] : "cell_type", &label[l]));
end:
    return rc;
}

static grn_status hold_out(const space_t *s, const grn_attr_t *type, const inherit_t *bits, holdout_t *h)
{
    const grn_attr_t *donor = grn_attr_find(&s->reference.attr, "donor");
    size_t n_donors = holdout_donors(donor, s->reference.n);
    if (strcmp(opt.hold_out, "donor") == 0 && n_donors == 0)
        return grn_err(GRN_EINVAL, "'%s' has no donors to hold out (--donor, --cells)", opt.reference);
    holdout_opt_t o = { .metric = metric(),
                        .k = (uint32_t)opt.k,
                        .weights = strcmp(opt.weights, "uniform") == 0 ? VOTE_UNIFORM : VOTE_GAUSSIAN,
                        .folds = (uint32_t)opt.folds,
                        .enough = (size_t)opt.hold_out_cells,
                        .by_donor = strcmp(opt.hold_out, "donor") == 0 || (strcmp(opt.hold_out, "auto") == 0 && n_donors >= 3),
                        .leave_out_types = opt.leave_out_types,
                        .seed = grn_common.seed };
    return holdout_run(s, type, donor, bits, &o, grn_common.pool, h);
}

static void summarise(const mapping_t *m)
{
    size_t n = m->query->n, out = n - m->n[MAPPED];
    grn_log_info(
        "%zu of %zu query cells abstain (%.1f %%): %zu ambiguous, %zu far, %zu without counts, %zu without a labelled neighbour", out,
        n, 100.0 * (double)out / (double)n, m->n[MAPPED_AMBIGUOUS], m->n[MAPPED_FAR], m->n[MAPPED_NO_COUNTS], m->n[MAPPED_NO_LABEL]);
}

static grn_status save_activity(const mapping_t *m, const inherit_t *bits)
{
    grn_status rc = GRN_OK;
    uint8_t *keep = NULL;
    GRN_TRY(GRN_NEW(keep, m->query->n));
    for (size_t i = 0; i < m->query->n; i++) keep[i] = m->fate[i] == MAPPED || (opt.keep_abstained && m->fate[i] != MAPPED_NO_COUNTS);
    rc = inherit_save(bits, opt.save_activity, &m->query->name, m->id, m->distance, m->k, m->weights, keep, opt.posterior,
                      grn_common.pool);
end:
    free(keep);
    return rc;
}

static grn_status write(const mapping_t *m, const holdout_t *h, const calibration_t *c, const inherit_t *bits)
{
    grn_status rc = GRN_OK;
    grn_result_t report = { 0 };
    GRN_TRY(report_make(m, h, c, &bits->a.regulons, &report));
    summarise(m);
    if (opt.report) GRN_TRY(report_write(&report, opt.report));
    if (opt.curve) GRN_TRY(report_curve(c, opt.curve, grn_common.pool));
    GRN_TRY(mapping_write(m, c, opt.keep_abstained, (uint32_t)opt.neighbours, opt.out));
    if (m->n[MAPPED] == 0 && !opt.keep_abstained) GRN_FAIL(GRN_EEMPTY, "all %zu query cells abstain", m->query->n);
    if (opt.save_activity) GRN_TRY(save_activity(m, bits));
end:
    grn_result_clear(&report);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    space_t s = { 0 };
    inherit_t bits = { 0 };
    holdout_t h = { 0 };
    calibration_t c = { 0 };
    const grn_attr_t *label[GRN_COUNTS_ALSO_MAX];
    mapping_t m = { .reference = &s.reference, .query = &s.query, .label = label, .k = (uint32_t)opt.k };
    m.weights = strcmp(opt.weights, "uniform") == 0 ? VOTE_UNIFORM : VOTE_GAUSSIAN;
    GRN_TRY(check_options());
    GRN_TRY(load(args->v[0], &s));
    GRN_TRY(find_labels(&s.reference, label, &m.n_labels));
    if (opt.activity) GRN_TRY(inherit_load(opt.activity, &s.reference.name, grn_common.pool, &bits));
    GRN_TRY(hold_out(&s, label[0], opt.activity ? &bits : NULL, &h));
    GRN_TRY(calibrate(&h, label[0]->levels.n, opt.accuracy, opt.far, &c));
    GRN_TRY(mapping_run(&m, metric(), &c, grn_common.pool));
    GRN_TRY(write(&m, &h, &c, &bits));
end:
    mapping_clear(&m);
    calibration_clear(&c);
    holdout_clear(&h);
    inherit_clear(&bits);
    space_clear(&s);
    return rc;
}

int main(int argc, char **argv)
{
    static const grn_tool_t tool = {
        "grn-map",
        "maps query cells onto labelled reference cells",
        "-r REFERENCE [options] QUERY",
        table,
        1,
        1,
        "  grn-map -r atlas.h5ad --report report.tsv query.h5 -o mapped.tsv\n"
        "  grn-map -r atlas.h5ad --layer obsm/X_scVI --metric cosine query.h5ad -o mapped.tsv\n"
        "  grn-map -r atlas.tensor.zst -a active.tensor.zst --save-activity mapped.tensor.zst query.h5 -o mapped.tsv"
    };
    return grn_tool_main(&tool, argc, argv, run);
}
