#include "grn-aucell/sets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/container.h"
#include "io/edges.h"
#include "io/gmt.h"

/* The sets as read: (set, gene, weight) in any order, names as in the file. */
typedef struct {
    uint32_t set, gene;
    float weight;
} member_t;
typedef struct {
    grn_names_t sets, genes;
    member_t *m;
    size_t n;
} raw_t;

static void raw_clear(raw_t *r)
{
    grn_names_clear(&r->sets);
    grn_names_clear(&r->genes);
    free(r->m);
    memset(r, 0, sizeof *r);
}

void aucell_sets_clear(aucell_sets_t *s)
{
    grn_names_clear(&s->names);
    free(s->n_listed);
    free(s->n_found);
    free(s->sum);
    free(s->best);
    free(s->off);
    free(s->set);
    free(s->weight);
    memset(s, 0, sizeof *s);
}

/* Set of an edge without regulons: TF and sign. */
static grn_status edge_set(const grn_edges_t *e, size_t i, raw_t *r, uint32_t *set)
{
    grn_str_t name = { 0 };
    int sign = e->sign ? e->sign[i] : 0;
    size_t k = 0;
    grn_status rc = grn_str_printf(&name, "%s%s", grn_names_get(&e->genes, e->tf[i]), sign > 0 ? "(+)" : sign < 0 ? "(-)" : "");
    if (rc == GRN_OK) rc = grn_names_add(&r->sets, name.s, &k, NULL);
    *set = (uint32_t)k;
    grn_str_clear(&name);
    return rc;
}

static grn_status read_edges(const char *path, grn_par_t *pool, raw_t *r)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    GRN_TRY(grn_edges_load(path, pool, &e));
    if (!e.gene || !(e.regulon || e.tf)) GRN_FAIL(GRN_EFORMAT, "'%s' has no gene column, or neither regulons nor TFs", path);
    GRN_TRY(grn_names_dup(&r->genes, &e.genes));
    if (e.regulon) GRN_TRY(grn_names_dup(&r->sets, &e.regulons));
    GRN_TRY(GRN_NEW_RAW(r->m, e.n));
    for (r->n = 0; r->n < e.n; r->n++) {
        member_t *m = &r->m[r->n];
        *m = (member_t){ e.regulon ? e.regulon[r->n] : 0, e.gene[r->n], e.weight ? e.weight[r->n] : 1 };
        if (!e.regulon) GRN_TRY(edge_set(&e, r->n, r, &m->set));
    }
end:
    grn_edges_clear(&e);
    return rc;
}

static grn_status read_gmt(const char *path, raw_t *r)
{
    grn_status rc = GRN_OK;
    grn_gmt_t g = { 0 };
    GRN_TRY(grn_gmt_load(path, &g));
    GRN_TRY(grn_names_dup(&r->sets, &g.sets));
    GRN_TRY(grn_names_dup(&r->genes, &g.genes));
    r->n = (size_t)g.off[g.n];
    GRN_TRY(GRN_NEW_RAW(r->m, r->n));
    for (size_t s = 0; s < g.n; s++)
        for (uint64_t k = g.off[s]; k < g.off[s + 1]; k++) r->m[k] = (member_t){ (uint32_t)s, g.gene[k], 1 };
end:
    grn_gmt_clear(&g);
    return rc;
}

static int by_set_gene(const void *a, const void *b)
{
    const member_t *x = a, *y = b;
    if (x->set != y->set) return x->set < y->set ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

/* Renumbers the sets in bytewise name order, sorts by set and gene, keeps each gene of a set once with its largest weight. */
static grn_status normalise(raw_t *r)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL, *rank = NULL;
    grn_names_t sorted = { 0 };
    size_t k = 0;
    GRN_TRY(GRN_NEW(order, r->sets.n));
    GRN_TRY(GRN_NEW(rank, r->sets.n));
    GRN_TRY(grn_names_sort(&r->sets, order));
    for (size_t i = 0; i < r->sets.n; i++) {
        rank[order[i]] = (uint32_t)i;
        GRN_TRY(grn_names_add(&sorted, grn_names_get(&r->sets, order[i]), NULL, NULL));
    }
    for (size_t i = 0; i < r->n; i++) r->m[i].set = rank[r->m[i].set];
    if (r->n > 0) qsort(r->m, r->n, sizeof *r->m, by_set_gene);
    for (size_t i = 0; i < r->n; i++) {
        if (k > 0 && by_set_gene(&r->m[k - 1], &r->m[i]) == 0) {
            if (r->m[i].weight > r->m[k - 1].weight) r->m[k - 1].weight = r->m[i].weight;
        } else {
            r->m[k++] = r->m[i];
        }
    }
    r->n = k;
    grn_names_clear(&r->sets);
    r->sets = sorted;
    memset(&sorted, 0, sizeof sorted);
end:
    free(order);
    free(rank);
    grn_names_clear(&sorted);
    return rc;
}

/* One set on its way: members m[0..n), columns of the found ones. */
typedef struct {
    size_t n, found;
    const char *fate; /* "kept", or why not */
} fate_t;

static int descending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static int64_t weight_units(float weight, float largest)
{
    if (!(weight > 0) || !(largest > 0)) return 0;
    return (int64_t)llrint((double)weight / (double)largest * (double)AUCELL_WEIGHT_ONE);
}

/* Integer weights of the found members of a set, and what a perfect ranking would reach. w: scratch of n. */
static void weigh(const member_t *m, size_t n, const uint32_t *column, int weights, uint32_t cut, int64_t *w, int64_t *sum,
                  double *best)
{
    float largest = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (m[i].weight > largest) largest = m[i].weight;
    *sum = 0;
    *best = 0;
    for (size_t i = 0; i < n; i++) {
        if (column[m[i].gene] == UINT32_MAX) continue;
        w[k] = weights ? weight_units(m[i].weight, largest) : 1;
        *sum += w[k++];
    }
    if (k == 0) return;
    qsort(w, k, sizeof *w, descending);
    for (size_t i = 0; i < k && i < cut; i++) *best += (double)w[i] * (double)(cut - i);
}

static grn_status write_report(const char *path, const raw_t *r, const fate_t *fate)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_out_puts(o, "set\tgenes\tfound\tfate\n"));
    for (size_t s = 0; s < r->sets.n; s++)
        GRN_TRY(grn_out_printf(o, "%s\t%zu\t%zu\t%s\n", grn_names_get(&r->sets, s), fate[s].n, fate[s].found, fate[s].fate));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

/* Names of the first dropped sets for the log: "A (3 of 10), B (1 of 9), ..." */
static grn_status warn_dropped(const raw_t *r, const fate_t *fate, const char *why, size_t n)
{
    grn_status rc = GRN_OK;
    grn_str_t list = { 0 };
    size_t shown = 0;
    if (n == 0) return GRN_OK;
    for (size_t s = 0; s < r->sets.n && shown < 5; s++)
        if (fate[s].fate == why)
            GRN_TRY(grn_str_printf(&list, "%s%s (%zu of %zu)", shown++ ? ", " : "", grn_names_get(&r->sets, s), fate[s].found,
                                   fate[s].n));
    grn_log_warn("%zu of %zu sets dropped: %s: %s%s", n, r->sets.n, why, list.s, n > shown ? ", ..." : "");
end:
    grn_str_clear(&list);
    return rc;
}

static const char few_found[] = "too small a share of their genes is in the matrix", few_genes[] = "too few genes in the matrix",
                  kept[] = "kept";
static const char no_weight[] = "no gene with a positive weight";

/* Decides on each set; fills names, n_listed, n_found, sum, best of s and map[set] = index in s or UINT32_MAX. */
static grn_status choose(const aucell_sets_opt_t *opt, const raw_t *r, const uint32_t *column, aucell_sets_t *s, fate_t *fate,
                         uint32_t *map)
{
    grn_status rc = GRN_OK;
    int64_t *w = NULL;
    size_t n_no_weight = 0;
    GRN_TRY(GRN_NEW(w, r->n));
    for (size_t set = 0, i = 0, j; set < r->sets.n; set++, i = j) {
        fate_t *f = &fate[set];
        size_t k = s->names.n;
        for (j = i; j < r->n && r->m[j].set == set; j++) f->found += column[r->m[j].gene] != UINT32_MAX;
        f->n = j - i;
        f->fate = kept;
        map[set] = UINT32_MAX;
        weigh(r->m + i, f->n, column, opt->weights, opt->cut, w, &s->sum[k], &s->best[k]);
        if (f->n == 0 || (double)f->found < opt->min_present * (double)f->n) f->fate = few_found, s->n_few_found++;
        else if (f->found < (size_t)opt->min_genes) f->fate = few_genes, s->n_few_genes++;
        else if (s->sum[k] <= 0) f->fate = no_weight, n_no_weight++;
        if (f->fate != kept) continue;
        s->n_listed[k] = (uint32_t)f->n;
        s->n_found[k] = (uint32_t)f->found;
        map[set] = (uint32_t)k;
        GRN_TRY(grn_names_add(&s->names, grn_names_get(&r->sets, set), NULL, NULL));
    }
    s->n_read = r->sets.n;
    GRN_TRY(warn_dropped(r, fate, few_found, s->n_few_found));
    GRN_TRY(warn_dropped(r, fate, few_genes, s->n_few_genes));
    GRN_TRY(warn_dropped(r, fate, no_weight, n_no_weight));
end:
    free(w);
    return rc;
}

/* Column -> sets, by counting. */
static grn_status invert(const aucell_sets_opt_t *opt, const raw_t *r, const uint32_t *column, const uint32_t *map,
                         aucell_sets_t *s)
{
    grn_status rc = GRN_OK;
    uint64_t *at = NULL;
    size_t first = 0;
    float largest = 0;
    GRN_TRY(GRN_NEW(s->off, (size_t)s->n_genes + 1));
    GRN_TRY(GRN_NEW(at, (size_t)s->n_genes + 1));
    for (size_t i = 0; i < r->n; i++)
        if (map[r->m[i].set] != UINT32_MAX && column[r->m[i].gene] != UINT32_MAX) s->off[column[r->m[i].gene] + 1]++;
    for (uint64_t g = 0; g < s->n_genes; g++) at[g + 1] = s->off[g + 1] += s->off[g];
    GRN_TRY(GRN_NEW(s->set, (size_t)s->off[s->n_genes]));
    if (opt->weights) GRN_TRY(GRN_NEW(s->weight, (size_t)s->off[s->n_genes]));
    for (size_t i = 0; i < r->n; i++) {
        const member_t *m = &r->m[i];
        uint32_t g = column[m->gene];
        if (i == 0 || m->set != r->m[i - 1].set)
            for (first = i, largest = 0; first < r->n && r->m[first].set == m->set; first++)
                if (r->m[first].weight > largest) largest = r->m[first].weight;
        if (map[m->set] == UINT32_MAX || g == UINT32_MAX) continue;
        s->set[at[g]] = map[m->set];
        if (opt->weights) s->weight[at[g]] = weight_units(m->weight, largest);
        at[g]++;
    }
end:
    free(at);
    return rc;
}

/* Ensembl ids: ENS, species letters, G, digits. */
static const char *kind_of_name(const char *s) { return strncmp(s, "ENS", 3) == 0 && strlen(s) > 11 ? " (Ensembl ids)" : ""; }

static grn_status join(const aucell_sets_opt_t *opt, const raw_t *r, const grn_names_t *columns, aucell_sets_t *s)
{
    grn_status rc = GRN_OK;
    uint32_t *column = NULL, *map = NULL;
    fate_t *fate = NULL;
    size_t n_found = 0;
    GRN_TRY(GRN_NEW(column, r->genes.n));
    GRN_TRY(GRN_NEW(map, r->sets.n));
    GRN_TRY(GRN_NEW(fate, r->sets.n));
    GRN_TRY(GRN_NEW(s->n_listed, r->sets.n));
    GRN_TRY(GRN_NEW(s->n_found, r->sets.n));
    GRN_TRY(GRN_NEW(s->sum, r->sets.n + 1));
    GRN_TRY(GRN_NEW(s->best, r->sets.n + 1));
    for (size_t g = 0; g < r->genes.n; g++) {
        size_t c = grn_names_find(columns, grn_names_get(&r->genes, g));
        column[g] = c == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)c;
        n_found += c != GRN_NAMES_NONE;
    }
    if (r->sets.n == 0) GRN_FAIL(GRN_EEMPTY, "'%s' holds no gene set", opt->path);
    if (r->genes.n > 0 && columns->n > 0 && n_found == 0)
        GRN_FAIL(GRN_EEMPTY, "0 of %zu genes of '%s' are in the matrix; first names: %s%s vs %s%s: check --gene-names",
                 r->genes.n, opt->path, grn_names_get(&r->genes, 0), kind_of_name(grn_names_get(&r->genes, 0)),
                 grn_names_get(columns, 0), kind_of_name(grn_names_get(columns, 0)));
    s->n_genes = columns->n;
    GRN_TRY(choose(opt, r, column, s, fate, map));
    if (opt->report) GRN_TRY(write_report(opt->report, r, fate));
    if (s->names.n == 0)
        GRN_FAIL(GRN_EEMPTY,
                 "none of %zu sets passes: %zu with less than %g of their genes in the matrix, %zu with fewer than %lld genes",
                 s->n_read, s->n_few_found, opt->min_present, s->n_few_genes, (long long)opt->min_genes);
    GRN_TRY(invert(opt, r, column, map, s));
end:
    free(column);
    free(map);
    free(fate);
    return rc;
}

grn_status aucell_sets_load(const aucell_sets_opt_t *opt, const grn_names_t *columns, grn_par_t *pool, aucell_sets_t *s)
{
    grn_status rc = GRN_OK;
    raw_t r = { 0 };
    int edges = strcmp(opt->path, "-") == 0 || grn_cr_sniff(opt->path);
    memset(s, 0, sizeof *s);
    if (opt->weights && !edges) GRN_FAIL(GRN_EUSAGE, "--weights: '%s' is a GMT file, which has no weights", opt->path);
    GRN_TRY(edges ? read_edges(opt->path, pool, &r) : read_gmt(opt->path, &r));
    GRN_TRY(normalise(&r));
    GRN_TRY(join(opt, &r, columns, s));
end:
    raw_clear(&r);
    if (rc != GRN_OK) aucell_sets_clear(s);
    return rc;
}
