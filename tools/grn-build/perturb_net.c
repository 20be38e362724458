/* The network of grn-build perturb: regulon edges between genes of the matrix, and what a perturbation can reach. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/chrom.h"
#include "io/edges.h"
#include "io/tflist.h"
#include "perturb_priv.h"

void grn_perturb_net_clear(grn_perturb_net_t *net)
{
    free(net->column);
    free(net->off);
    free(net->tf);
    free(net->what);
    free(net->steps);
    free(net->fit);
    free(net->moving);
    free(net->used);
    free(net->out);
    free(net->perturbed);
    *net = (grn_perturb_net_t){ 0 };
}

/* ---- edges ---- */

enum { IS_TF = 1, IS_TARGET = 2, IS_LISTED = 4, IS_MODELLED = 8 };

typedef struct {
    const grn_perturb_opt_t *opt;
    const grn_colsrc_t *rna;
    grn_edges_t e;
    uint32_t *order, *rank; /* (columns) by name; the other way */
    uint32_t *place;        /* (e.genes.n) rank of the gene's column; NONE: not in the matrix */
    uint8_t *flag;          /* (e.genes.n) */
    uint64_t *pair;         /* (n_pairs) rank of the gene << 32 | rank of its TF, ascending, distinct */
    size_t n_pairs;
} reader_t;

static void reader_clear(reader_t *r)
{
    grn_edges_clear(&r->e);
    free(r->order);
    free(r->rank);
    free(r->place);
    free(r->flag);
    free(r->pair);
}

/* Which contexts are used: (contexts.n) flags; without --context all. */
static grn_status pick_contexts(const reader_t *r, uint8_t *use)
{
    const grn_opt_list_t *asked = &r->opt->context;
    char some[400];
    if (asked->n && !r->e.context) return grn_err(GRN_EINVAL, "'%s' has no cell types of edges: leave out --context", r->opt->regulons);
    memset(use, asked->n == 0, r->e.contexts.n);
    for (size_t k = 0; k < asked->n; k++) {
        size_t c = grn_names_find(&r->e.contexts, asked->v[k]);
        if (c == GRN_NAMES_NONE) {
            return grn_err(GRN_EINVAL, "--context %s: no cell type of '%s'; it has: %s", asked->v[k], r->opt->regulons,
                           grn_names_show(&r->e.contexts, 8, some, sizeof some));
        }
        use[c] = 1;
    }
    return GRN_OK;
}

static grn_status read_edges(reader_t *r)
{
    grn_status rc = GRN_OK;
    const grn_names_t *col = &r->rna->info->col;
    GRN_TRY(grn_edges_load(r->opt->regulons, grn_common.pool, &r->e));
    if (!r->e.tf || !r->e.gene)
        GRN_FAIL(GRN_EINVAL, "'%s' has no TF to gene edges: regulons are expected (grn-build regulon)", r->opt->regulons);
    GRN_TRY(GRN_NEW_RAW(r->order, col->n));
    GRN_TRY(GRN_NEW_RAW(r->rank, col->n));
    GRN_TRY(grn_names_sort(col, r->order));
    for (size_t k = 0; k < col->n; k++) r->rank[r->order[k]] = (uint32_t)k;
    GRN_TRY(GRN_NEW_RAW(r->place, r->e.genes.n));
    GRN_TRY(GRN_NEW(r->flag, r->e.genes.n));
    for (size_t k = 0; k < r->e.genes.n; k++) {
        size_t j = grn_names_find(col, grn_names_get(&r->e.genes, k));
        r->place[k] = j == GRN_NAMES_NONE ? GRN_PERTURB_NONE : r->rank[j];
    }
end:
    return rc;
}

static grn_status read_targets(reader_t *r)
{
    grn_status rc = GRN_OK;
    grn_names_t list = { 0 };
    if (r->opt->targets) GRN_TRY(grn_tflist_load(r->opt->targets, &list, NULL));
    for (size_t k = 0; k < r->e.genes.n; k++)
        if (!r->opt->targets || grn_names_find(&list, grn_names_get(&r->e.genes, k)) != GRN_NAMES_NONE) r->flag[k] |= IS_LISTED;
end:
    grn_names_clear(&list);
    return rc;
}

static int compare_pairs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static grn_status make_pairs(reader_t *r)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = &r->e;
    uint8_t *use = NULL;
    size_t n = 0;
    GRN_TRY(GRN_NEW(use, e->contexts.n + 1));
    GRN_TRY(pick_contexts(r, use));
    GRN_TRY(GRN_NEW_RAW(r->pair, e->n));
    for (size_t k = 0; k < e->n; k++) {
        uint32_t tf = e->tf[k], gene = e->gene[k];
        if (e->context && !use[e->context[k]]) continue;
        r->flag[tf] |= IS_TF;
        r->flag[gene] |= IS_TARGET;
        if (tf == gene || r->place[tf] == GRN_PERTURB_NONE) continue;
        if (r->place[gene] == GRN_PERTURB_NONE || !(r->flag[gene] & IS_LISTED)) continue;
        r->flag[gene] |= IS_MODELLED;
        r->pair[n++] = (uint64_t)r->place[gene] << 32 | r->place[tf];
    }
    if (n) qsort(r->pair, n, sizeof *r->pair, compare_pairs);
    for (size_t k = 0; k < n; k++)
        if (k == 0 || r->pair[k] != r->pair[r->n_pairs - 1]) r->pair[r->n_pairs++] = r->pair[k];
end:
    free(use);
    return rc;
}

/* What is left of the regulons, for the log and the metadata. */
static grn_status count_genes(const reader_t *r, grn_funnel_t *f)
{
    grn_status rc = GRN_OK;
    size_t tfs = 0, tfs_in = 0, targets = 0, in = 0, listed = 0, modelled = 0;
    for (size_t k = 0; k < r->e.genes.n; k++) {
        int present = r->place[k] != GRN_PERTURB_NONE, has = r->flag[k];
        tfs += has & IS_TF ? 1 : 0;
        tfs_in += (has & IS_TF) && present;
        if (!(has & IS_TARGET)) continue;
        targets++;
        in += (size_t)present;
        listed += present && (has & IS_LISTED);
        modelled += has & IS_MODELLED ? 1 : 0;
    }
    GRN_TRY(grn_funnel_add(f, "TFs", tfs_in, tfs - tfs_in, "TFs of regulons that are genes of the matrix"));
    GRN_TRY(grn_funnel_add(f, "genes", in, targets - in, "targets of regulons that are genes of the matrix"));
    if (r->opt->targets) GRN_TRY(grn_funnel_add(f, "genes", listed, in - listed, "targets that are in '%s'", r->opt->targets));
    GRN_TRY(grn_funnel_add(f, "genes", modelled, listed - modelled, "targets with a TF besides themselves"));
    if (modelled == 0) {
        char genes[200], some[200];
        GRN_FAIL(GRN_EEMPTY, "nothing to model: 0 of %zu targets of '%s' are left (%zu in '%s'%s); first names: %s vs %s", targets,
                 r->opt->regulons, in, r->opt->rna, r->opt->targets ? ", and in --targets" : "",
                 grn_names_show(&r->e.genes, 3, some, sizeof some), grn_names_show(&r->rna->info->col, 3, genes, sizeof genes));
    }
end:
    return rc;
}

/* ---- nodes ---- */

static const char *option_of(const grn_perturbed_t *w)
{
    return w->kind == GRN_PERTURB_KNOCK_OUT ? "--knock-out" : w->kind == GRN_PERTURB_SET ? "--set" : "--scale";
}

/* The TFs of modelled genes, for a message. */
static grn_status no_such_tf(const reader_t *r, const grn_perturbed_t *w, const char *why, const uint8_t *is_tf)
{
    grn_status rc = GRN_OK;
    grn_names_t tfs = { 0 };
    char some[300];
    for (size_t k = 0; k < r->rna->info->n_cols; k++)
        if (is_tf[k]) GRN_TRY(grn_names_add(&tfs, grn_names_get(&r->rna->info->col, r->order[k]), NULL, NULL));
    rc = grn_err(GRN_EINVAL, "%s %s: %s; TFs: %s", option_of(w), w->name, why, grn_names_show(&tfs, 5, some, sizeof some));
end:
    grn_names_clear(&tfs);
    return rc;
}

/* rank_what[rank of a column]: which perturbation; is_tf[rank] */
static grn_status find_perturbed(const reader_t *r, const uint8_t *is_tf, uint32_t *rank_what)
{
    char why[300];
    for (size_t k = 0; k < r->opt->n_what; k++) {
        const grn_perturbed_t *w = &r->opt->what[k];
        size_t j = grn_names_find(&r->rna->info->col, w->name);
        if (j == GRN_NAMES_NONE) {
            snprintf(why, sizeof why, "no gene of '%s'", r->opt->rna);
            return no_such_tf(r, w, why, is_tf);
        }
        if (!is_tf[r->rank[j]]) {
            snprintf(why, sizeof why, "no modelled gene is in a regulon of it in '%s'%s", r->opt->regulons,
                     r->opt->context.n ? " in this context" : "");
            return no_such_tf(r, w, why, is_tf);
        }
        rank_what[r->rank[j]] = (uint32_t)k;
    }
    return GRN_OK;
}

static grn_status make_nodes(const reader_t *r, grn_perturb_net_t *net)
{
    grn_status rc = GRN_OK;
    size_t cols = r->rna->info->n_cols, at = 0;
    uint8_t *is_tf = NULL, *in = NULL;
    uint32_t *what = NULL, *node = NULL;
    GRN_TRY(GRN_NEW(is_tf, cols));
    GRN_TRY(GRN_NEW(in, cols));
    GRN_TRY(GRN_NEW_RAW(what, cols));
    GRN_TRY(GRN_NEW_RAW(node, cols));
    memset(what, 0xff, cols * sizeof *what);
    for (size_t k = 0; k < r->n_pairs; k++) is_tf[(uint32_t)r->pair[k]] = in[(uint32_t)r->pair[k]] = in[r->pair[k] >> 32] = 1;
    GRN_TRY(find_perturbed(r, is_tf, what));
    for (size_t k = 0; k < cols; k++) net->n += in[k];
    GRN_TRY(GRN_NEW_RAW(net->column, net->n));
    GRN_TRY(GRN_NEW(net->off, net->n + 1));
    GRN_TRY(GRN_NEW_RAW(net->tf, r->n_pairs));
    GRN_TRY(GRN_NEW_RAW(net->what, net->n));
    GRN_TRY(GRN_NEW_RAW(net->perturbed, r->opt->n_what));
    for (size_t k = 0; k < cols; k++) {
        if (!in[k]) continue;
        node[k] = (uint32_t)at;
        net->column[at] = r->order[k];
        net->what[at] = what[k];
        if (what[k] != GRN_PERTURB_NONE) net->perturbed[what[k]] = (uint32_t)at;
        at++;
    }
    for (size_t k = 0; k < r->n_pairs; k++) net->off[node[r->pair[k] >> 32] + 1]++;
    for (size_t k = 0; k < net->n; k++) net->off[k + 1] += net->off[k];
    for (size_t k = 0; k < r->n_pairs; k++) net->tf[k] = node[(uint32_t)r->pair[k]];
end:
    free(is_tf);
    free(in);
    free(what);
    free(node);
    return rc;
}

/* ---- reach ---- */

static int has_regulator_within(const grn_perturb_net_t *net, size_t g, uint32_t steps)
{
    for (uint64_t k = net->off[g]; k < net->off[g + 1]; k++)
        if (net->steps[net->tf[k]] <= steps) return 1;
    return 0;
}

static void find_steps(const grn_perturb_opt_t *opt, grn_perturb_net_t *net)
{
    for (size_t g = 0; g < net->n; g++) net->steps[g] = net->what[g] == GRN_PERTURB_NONE ? GRN_PERTURB_NONE : 0;
    for (uint32_t s = 1; s <= opt->rounds; s++) {
        int any = 0;
        for (size_t g = 0; g < net->n; g++) {
            if (net->steps[g] == GRN_PERTURB_NONE && has_regulator_within(net, g, s - 1)) {
                net->steps[g] = s;
                any = 1;
            }
        }
        if (!any) break;
    }
}

static grn_status make_lists(const grn_perturb_opt_t *opt, grn_perturb_net_t *net)
{
    grn_status rc = GRN_OK;
    uint8_t *fit = NULL, *used = NULL;
    GRN_TRY(GRN_NEW(fit, net->n));
    GRN_TRY(GRN_NEW(used, net->n));
    GRN_TRY(GRN_NEW_RAW(net->fit, net->n));
    GRN_TRY(GRN_NEW_RAW(net->moving, net->n));
    GRN_TRY(GRN_NEW_RAW(net->used, net->n));
    GRN_TRY(GRN_NEW_RAW(net->out, net->n));
    for (size_t g = 0; g < net->n; g++) {
        int perturbed = net->what[g] != GRN_PERTURB_NONE;
        fit[g] = net->steps[g] != GRN_PERTURB_NONE;
        if (perturbed) fit[g] = opt->compat && has_regulator_within(net, g, (uint32_t)opt->rounds - 1);
        used[g] |= fit[g] || perturbed;
        for (uint64_t k = net->off[g]; fit[g] && k < net->off[g + 1]; k++) used[net->tf[k]] = 1;
    }
    for (uint32_t g = 0; g < net->n; g++) {
        int perturbed = net->what[g] != GRN_PERTURB_NONE;
        if (fit[g]) net->fit[net->n_fit++] = g;
        if (fit[g] || perturbed) net->moving[net->n_moving++] = g;
        if (used[g]) net->used[net->n_used++] = g;
        if (perturbed || net->off[g + 1] > net->off[g]) net->out[net->n_out++] = g;
    }
end:
    free(fit);
    free(used);
    return rc;
}

grn_status grn_perturb_net(const grn_perturb_opt_t *opt, const grn_colsrc_t *rna, grn_funnel_t *funnel, grn_perturb_net_t *net)
{
    grn_status rc = GRN_OK;
    reader_t r = { .opt = opt, .rna = rna };
    size_t n_modelled = 0, others = 0;
    GRN_TRY(read_edges(&r));
    GRN_TRY(read_targets(&r));
    GRN_TRY(make_pairs(&r));
    GRN_TRY(count_genes(&r, funnel));
    GRN_TRY(make_nodes(&r, net));
    GRN_TRY(GRN_NEW_RAW(net->steps, net->n));
    find_steps(opt, net);
    GRN_TRY(make_lists(opt, net));
    for (size_t g = 0; g < net->n; g++) n_modelled += net->off[g + 1] > net->off[g];
    for (size_t k = 0; k < net->n_fit; k++) others += net->what[net->fit[k]] == GRN_PERTURB_NONE;
    GRN_TRY(grn_funnel_add(funnel, "genes", net->n_fit, n_modelled - net->n_fit, "modelled genes within %zu steps of the perturbed",
                           opt->rounds));
    if (others == 0) GRN_FAIL(GRN_EEMPTY, "nothing to model: the perturbed genes have no targets but themselves in '%s'", opt->regulons);
end:
    reader_clear(&r);
    if (rc) grn_perturb_net_clear(net);
    return rc;
}
