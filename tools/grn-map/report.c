/* The report of a mapping (mapping.h): what held-out reference cells tell about it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "mapping.h"
#include "stat/contingency.h"

#define COLUMNS "part$,name$,cells,kept,coverage,accuracy,lower,upper,accuracy_kept,certified,from,to,query,baseline,note$"

typedef struct {
    size_t cells, right, kept, kept_right;
} count_t;

static void count(count_t *n, int is_right, int is_kept)
{
    n->cells++;
    n->right += (size_t)is_right;
    n->kept += (size_t)is_kept;
    n->kept_right += (size_t)(is_right && is_kept);
}

static double ratio(size_t x, size_t n)
{
    return n ? (double)x / (double)n : NAN;
}

static grn_status add_row(grn_result_t *r, const char *part, const char *name, count_t n, double from, double to, double query,
                          const char *note)
{
    double lower, upper;
    grn_wilson(n.right, n.cells, &lower, &upper);
    return grn_result_row(r, part, name, (double)n.cells, (double)n.kept, ratio(n.kept, n.cells), ratio(n.right, n.cells), lower, upper,
                          ratio(n.kept_right, n.kept), NAN, from, to, query, NAN, note);
}

static int is_kept(const calibration_t *c, size_t i)
{
    return c->score[i] >= c->cut;
}

/* Neighbours, centroid and majority, on the same cells. */
static grn_status methods(const holdout_t *h, const calibration_t *c, grn_result_t *r)
{
    grn_status rc = GRN_OK;
    count_t n[3] = { { 0 } };
    double lower, upper;
    for (size_t i = 0; i < h->n; i++) {
        const held_t *e = &h->cell[i];
        count(&n[0], e->vote.best == e->truth, is_kept(c, i));
        count(&n[1], e->centroid == e->truth, 1);
        count(&n[2], e->majority == e->truth, 1);
    }
    GRN_TRY(add_row(r, "method", "neighbours", n[0], NAN, NAN, NAN, ""));
    GRN_TRY(add_row(r, "method", "nearest centroid", n[1], NAN, NAN, NAN, ""));
    GRN_TRY(add_row(r, "method", "most frequent", n[2], NAN, NAN, NAN, ""));
    grn_wilson(n[0].right, n[0].cells, &lower, &upper);
    grn_log_info(
        "%zu reference cells held out in %zu folds of %s: accuracy %.4f (%.4f to %.4f); nearest centroid %.4f, most frequent type %.4f",
        h->n, h->n_folds, h->n_donors ? "whole donors" : "cells", ratio(n[0].right, n[0].cells), lower, upper,
        ratio(n[1].right, n[1].cells), ratio(n[2].right, n[2].cells));
end:
    return rc;
}

static grn_status cuts(const calibration_t *c, grn_result_t *r)
{
    grn_status rc = GRN_OK;
    char name[16];
    double lower, upper;
    for (int s = 0; s <= CALIBRATE_STEPS; s++) {
        const cut_t *u = &c->step[s];
        snprintf(name, sizeof name, "%.2f", (double)s / CALIBRATE_STEPS);
        grn_wilson(u->right, u->kept, &lower, &upper);
        GRN_TRY(grn_result_row(r, "cut", name, (double)u->cells, (double)u->kept, ratio(u->kept, u->cells), ratio(u->right, u->kept),
                               lower, upper, ratio(u->right, u->kept), s >= CALIBRATE_FIRST ? u->lower : NAN, NAN, NAN, NAN, NAN,
                               s == c->chosen ? "chosen" : ""));
    }
    const cut_t *u = &c->step[c->chosen];
    (c->is_certified
         ? grn_log_info
         : grn_log_warn)("cut at score %.2f: %.1f %% of the held-out cells reach it, %.4f of them called right (%s %.4f)", c->cut,
                         100 * ratio(u->kept, u->cells), ratio(u->right, u->kept),
                         c->is_certified ? "with confidence 0.95 at least" : "no cut certifies the accuracy asked for; this one",
                         u->lower);
end:
    return rc;
}

/* Least distance of tenth d (calibration_decile); of d = 10 the largest there is. */
static double edge(const calibration_t *c, int d)
{
    size_t i = ((size_t)d * c->n + 9) / 10;
    return c->all[i < c->n ? i : c->n - 1];
}

/* Tenths of the held-out cells by distance; `query`: query cells in the same tenth. */
static grn_status deciles(const mapping_t *m, const holdout_t *h, const calibration_t *c, grn_result_t *r)
{
    grn_status rc = GRN_OK;
    count_t n[10] = { { 0 } };
    size_t query[10] = { 0 };
    grn_str_t line[2] = { { 0 }, { 0 } };
    char name[16];
    for (size_t i = 0; i < h->n; i++)
        count(&n[calibration_decile(c, h->cell[i].distance)], h->cell[i].vote.best == h->cell[i].truth, is_kept(c, i));
    for (size_t i = 0; i < m->query->n; i++)
        if (m->fate[i] != MAPPED_NO_COUNTS) query[calibration_decile(c, m->mean[i])]++;
    for (int d = 0; d < 10; d++) {
        snprintf(name, sizeof name, "%d", d + 1);
        GRN_TRY(add_row(r, "decile", name, n[d], edge(c, d), edge(c, d + 1), (double)query[d], ""));
        GRN_TRY(grn_str_printf(&line[0], " %.3f", ratio(n[d].right, n[d].cells)));
        GRN_TRY(grn_str_printf(&line[1], " %.1f", 100 * ratio(query[d], m->query->n)));
    }
    grn_log_info("accuracy by tenths of distance, nearest first:%s", line[0].s);
    grn_log_info("query cells in these tenths, percent:%s", line[1].s);
end:
    grn_str_clear(&line[0]);
    grn_str_clear(&line[1]);
    return rc;
}

static grn_status types(const mapping_t *m, const holdout_t *h, const calibration_t *c, grn_result_t *r)
{
    grn_status rc = GRN_OK;
    const grn_names_t *name = &m->label[0]->levels;
    count_t *n = NULL;
    size_t *query = NULL;
    GRN_TRY(GRN_NEW(n, name->n));
    GRN_TRY(GRN_NEW(query, name->n));
    for (size_t i = 0; i < h->n; i++) count(&n[h->cell[i].truth], h->cell[i].vote.best == h->cell[i].truth, is_kept(c, i));
    for (size_t i = 0; i < m->query->n; i++)
        if (m->fate[i] == MAPPED) query[m->vote[i * m->n_labels].best]++;
    for (size_t t = 0; t < name->n; t++) GRN_TRY(add_row(r, "type", grn_names_get(name, t), n[t], NAN, NAN, (double)query[t], ""));
end:
    free(n);
    free(query);
    return rc;
}

/* Cells of each type mapped onto a reference that lacks it: those that abstain do right. note: what the others are most often called.
 */
static grn_status strangers(const mapping_t *m, const holdout_t *h, const calibration_t *c, grn_result_t *r)
{
    grn_status rc = GRN_OK;
    const grn_names_t *name = &m->label[0]->levels;
    const size_t T = name->n;
    size_t *called = NULL, all = 0, kept = 0;
    count_t *n = NULL;
    if (h->n_strangers == 0) return GRN_OK;
    GRN_TRY(GRN_NEW(called, T * T));
    GRN_TRY(GRN_NEW(n, T));
    for (size_t i = 0; i < h->n_strangers; i++) {
        const held_t *e = &h->stranger[i];
        int stays = c->stranger_score[i] >= c->cut;
        n[e->truth].cells++;
        n[e->truth].kept += (size_t)stays;
        called[(size_t)e->truth * T + (size_t)e->vote.best] += (size_t)stays;
        all++;
        kept += (size_t)stays;
    }
    for (size_t t = 0; t < T; t++) {
        size_t top = 0;
        double lower, upper;
        for (size_t u = 1; u < T; u++)
            if (called[t * T + u] > called[t * T + top]) top = u;
        if (n[t].cells == 0) continue;
        grn_wilson(n[t].cells - n[t].kept, n[t].cells, &lower, &upper);
        GRN_TRY(grn_result_row(r, "unseen", grn_names_get(name, t), (double)n[t].cells, (double)n[t].kept, ratio(n[t].kept, n[t].cells),
                               ratio(n[t].cells - n[t].kept, n[t].cells), lower, upper, NAN, NAN, NAN, NAN, NAN, NAN,
                               n[t].kept ? grn_names_get(name, top) : ""));
        grn_log_info("  without '%s': %.1f %% of its %zu cells abstain%s%s", grn_names_get(name, t),
                     100 * ratio(n[t].cells - n[t].kept, n[t].cells), n[t].cells,
                     n[t].kept ? "; the others are most often called " : "", n[t].kept ? grn_names_get(name, top) : "");
    }
    grn_log_info("types the reference lacks: %.1f %% of the cells abstain", 100 * ratio(all - kept, all));
end:
    free(called);
    free(n);
    return rc;
}

static double balanced(const uint64_t n[2][2])
{
    return (ratio(n[1][1], n[1][0] + n[1][1]) + ratio(n[0][0], n[0][0] + n[0][1])) / 2;
}

static grn_status regulons(const holdout_t *h, const grn_names_t *name, grn_result_t *r)
{
    grn_status rc = GRN_OK;
    double sum[2] = { 0 };
    size_t n = 0, better = 0;
    for (size_t k = 0; k < name->n; k++) {
        const agreement_t *a = &h->regulon[k];
        double inherited = balanced(a->inherited), type = balanced(a->type);
        uint64_t on = a->inherited[1][0] + a->inherited[1][1], all = on + a->inherited[0][0] + a->inherited[0][1];
        GRN_TRY(grn_result_row(r, "regulon", grn_names_get(name, k), (double)all, (double)on, ratio(on, all), inherited, NAN, NAN, NAN,
                               NAN, NAN, NAN, NAN, type, ""));
        if (isnan(inherited) || isnan(type)) continue;
        sum[0] += inherited;
        sum[1] += type;
        better += inherited > type;
        n++;
    }
    grn_log_info(
        "bits of held-out cells: balanced accuracy %.4f inherited from neighbours, %.4f as the type's majority (mean of %zu regulons; "
        "neighbours better for %zu)",
        sum[0] / (double)n, sum[1] / (double)n, n, better);
end:
    return rc;
}

grn_status report_make(const mapping_t *m, const holdout_t *h, const calibration_t *c, const grn_names_t *names, grn_result_t *r)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_result_init(r, "map", "Mapping of held-out reference cells", COLUMNS));
    GRN_TRY(methods(h, c, r));
    GRN_TRY(cuts(c, r));
    GRN_TRY(deciles(m, h, c, r));
    GRN_TRY(types(m, h, c, r));
    GRN_TRY(strangers(m, h, c, r));
    if (h->regulon) GRN_TRY(regulons(h, names, r));
end:
    return rc;
}

grn_status report_write(const grn_result_t *r, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_result_print(r, o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

grn_status report_curve(const calibration_t *c, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_result_t r = { 0 };
    double lower, upper;
    GRN_TRY(grn_result_init(&r, "map.curve", "Held-out reference cells: accuracy of the cells that do not abstain",
                            "series$,cut,coverage,accuracy,lower,upper"));
    for (int s = 0; s <= CALIBRATE_STEPS; s++) {
        const cut_t *u = &c->step[s];
        if (u->kept == 0) continue;
        grn_wilson(u->right, u->kept, &lower, &upper);
        GRN_TRY(grn_result_row(&r, "accuracy", (double)s / CALIBRATE_STEPS, ratio(u->kept, u->cells), ratio(u->right, u->kept), lower,
                               upper));
    }
    for (int s = 0; s <= CALIBRATE_STEPS; s++)
        if (c->step[s].kept)
            GRN_TRY(grn_result_row(&r, "certified", (double)s / CALIBRATE_STEPS, ratio(c->step[s].kept, c->step[s].cells),
                                   c->step[s].lower, NAN, NAN));
    rc = grn_result_save(&r, path, pool);
end:
    grn_result_clear(&r);
    return rc;
}
