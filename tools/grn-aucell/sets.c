#include "grn-aucell/sets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/edges.h"

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

static const char kept[] = "kept", few_found[] = "too small a share of it is in the matrix",
                  few_genes[] = "too little of it is in the matrix", no_weight[] = "nothing with a positive weight",
                  zeros[] = "zeros: too small a share of it is in the matrix";

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
static void weigh(const aucell_member_t *m, size_t n, const uint32_t *column, int weights, uint32_t cut, int64_t *w, int64_t *sum,
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

static grn_status write_report(const char *path, const aucell_signatures_t *r, const fate_t *fate)
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
static grn_status warn_dropped(const aucell_signatures_t *r, const fate_t *fate, const char *why, size_t n)
{
    grn_status rc = GRN_OK;
    grn_str_t list = { 0 };
    size_t shown = 0;
    if (n == 0) return GRN_OK;
    for (size_t s = 0; s < r->sets.n && shown < 5; s++)
        if (fate[s].fate == why)
            GRN_TRY(
                grn_str_printf(&list, "%s%s (%zu of %zu)", shown++ ? ", " : "", grn_names_get(&r->sets, s), fate[s].found, fate[s].n));
    grn_log_warn("%zu of %zu sets %s%s: %s%s", n, r->sets.n, why == zeros ? "" : "dropped: ", why, list.s, n > shown ? ", ..." : "");
end:
    grn_str_clear(&list);
    return rc;
}

/* Decides on each set; fills names, n_listed, n_found, sum, best of s and map[set] = index in s or UINT32_MAX. */
static grn_status choose(const aucell_sets_opt_t *opt, const aucell_signatures_t *r, const uint32_t *column, aucell_sets_t *s,
                         fate_t *fate, uint32_t *map)
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
        weigh(r->m + i, f->n, column, opt->files.weights, opt->cut, w, &s->sum[k], &s->best[k]);
        if (f->n == 0 || (double)f->found / (double)f->n < opt->min_present) f->fate = few_found, s->n_few_found++;
        else if (f->found < (size_t)opt->min_genes) f->fate = few_genes, s->n_few_genes++;
        else if (s->sum[k] <= 0) f->fate = no_weight, n_no_weight++;
        if (opt->keep_as_zeros && f->fate == few_found) f->fate = zeros;
        if (f->fate != kept && f->fate != zeros) continue;
        s->n_listed[k] = (uint32_t)f->n;
        s->n_found[k] = (uint32_t)f->found;
        if (f->fate == kept) map[set] = (uint32_t)k;
        else s->sum[k] = 0;
        GRN_TRY(grn_names_add(&s->names, grn_names_get(&r->sets, set), NULL, NULL));
    }
    s->n_read = r->sets.n;
    GRN_TRY(warn_dropped(r, fate, opt->keep_as_zeros ? zeros : few_found, s->n_few_found));
    GRN_TRY(warn_dropped(r, fate, few_genes, s->n_few_genes));
    GRN_TRY(warn_dropped(r, fate, no_weight, n_no_weight));
end:
    free(w);
    return rc;
}

/* Column -> sets, by counting. */
static grn_status invert(const aucell_sets_opt_t *opt, const aucell_signatures_t *r, const uint32_t *column, const uint32_t *map,
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
    if (opt->files.weights) GRN_TRY(GRN_NEW(s->weight, (size_t)s->off[s->n_genes]));
    for (size_t i = 0; i < r->n; i++) {
        const aucell_member_t *m = &r->m[i];
        uint32_t g = column[m->gene];
        if (i == 0 || m->set != r->m[i - 1].set)
            for (first = i, largest = 0; first < r->n && r->m[first].set == m->set; first++)
                if (r->m[first].weight > largest) largest = r->m[first].weight;
        if (map[m->set] == UINT32_MAX || g == UINT32_MAX) continue;
        s->set[at[g]] = map[m->set];
        if (opt->files.weights) s->weight[at[g]] = weight_units(m->weight, largest);
        at[g]++;
    }
end:
    free(at);
    return rc;
}

/* Ensembl ids: ENS, species letters, G, digits. */
static const char *kind_of_name(const char *s)
{
    return strncmp(s, "ENS", 3) == 0 && strlen(s) > 11 ? " (Ensembl ids)" : "";
}

/* chrom:start-end of a region named so or chrom-start-end, chrom_start_end; else the name itself. */
static grn_status place_of(const char *name, grn_str_t *out)
{
    const char *end = name + strlen(name), *digit = end;
    while (digit > name && digit[-1] >= '0' && digit[-1] <= '9') digit--;
    const char *dash = digit > name ? digit - 1 : name, *start = dash;
    while (start > name && start[-1] >= '0' && start[-1] <= '9') start--;
    out->n = 0;
    if (digit == end || start == dash || start <= name + 1 || !strchr("-_", *dash) || !strchr(":-_", start[-1]))
        return grn_str_printf(out, "%s", name);
    return grn_str_printf(out, "%.*s:%.*s-%s", (int)(start - 1 - name), name, (int)(dash - start), start, digit);
}

/* The places of the columns, in their order; two columns of one place are GRN_EFORMAT. */
static grn_status name_places(const grn_names_t *columns, grn_names_t *out)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    int is_new;
    for (size_t i = 0; i < columns->n; i++) {
        GRN_TRY(place_of(grn_names_get(columns, i), &s));
        GRN_TRY(grn_names_add(out, s.s, NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EFORMAT, "two columns of the matrix are the region '%s'", s.s);
    }
end:
    grn_str_clear(&s);
    return rc;
}

static grn_status no_column(const aucell_sets_opt_t *opt, const aucell_signatures_t *r, const grn_names_t *columns)
{
    const char *gene = grn_names_get(&r->genes, 0), *column = grn_names_get(columns, 0);
    if (opt->files.regions)
        return grn_err(GRN_EEMPTY,
                       "0 of %zu regions of '%s' are in the matrix; first names: %s vs %s: regions are matched by coordinates",
                       r->genes.n, opt->files.path[0], gene, column);
    return grn_err(GRN_EEMPTY, "0 of %zu genes of '%s' are in the matrix; first names: %s%s vs %s%s: check --gene-names", r->genes.n,
                   opt->files.path[0], gene, kind_of_name(gene), column, kind_of_name(column));
}

/* Column of each gene or region of the sets, UINT32_MAX where there is none. */
static grn_status find_columns(const aucell_sets_opt_t *opt, const aucell_signatures_t *r, const grn_names_t *columns, uint32_t *column)
{
    grn_status rc = GRN_OK;
    grn_names_t places = { 0 };
    grn_str_t s = { 0 };
    size_t n_found = 0;
    if (opt->files.regions) GRN_TRY(name_places(columns, &places));
    for (size_t g = 0; g < r->genes.n; g++) {
        const char *name = grn_names_get(&r->genes, g);
        if (opt->files.regions) GRN_TRY(place_of(name, &s));
        size_t c = opt->files.regions ? grn_names_find(&places, s.s) : grn_names_find(columns, name);
        column[g] = c == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)c;
        n_found += c != GRN_NAMES_NONE;
    }
    if (r->genes.n > 0 && columns->n > 0 && n_found == 0) rc = no_column(opt, r, columns);
end:
    grn_names_clear(&places);
    grn_str_clear(&s);
    return rc;
}

static grn_status join(const aucell_sets_opt_t *opt, const aucell_signatures_t *r, const grn_names_t *columns, aucell_sets_t *s)
{
    grn_status rc = GRN_OK;
    uint32_t *column = NULL, *map = NULL;
    fate_t *fate = NULL;
    GRN_TRY(GRN_NEW(column, r->genes.n));
    GRN_TRY(GRN_NEW(map, r->sets.n));
    GRN_TRY(GRN_NEW(fate, r->sets.n));
    GRN_TRY(GRN_NEW(s->n_listed, r->sets.n));
    GRN_TRY(GRN_NEW(s->n_found, r->sets.n));
    GRN_TRY(GRN_NEW(s->sum, r->sets.n + 1));
    GRN_TRY(GRN_NEW(s->best, r->sets.n + 1));
    GRN_TRY(find_columns(opt, r, columns, column));
    s->n_genes = columns->n;
    GRN_TRY(choose(opt, r, column, s, fate, map));
    if (opt->report) GRN_TRY(write_report(opt->report, r, fate));
    if (s->names.n == 0)
        GRN_FAIL(GRN_EEMPTY, "none of %zu sets passes: %zu with less than %g of their %s in the matrix, %zu with fewer than %lld",
                 s->n_read, s->n_few_found, opt->min_present, opt->files.regions ? "regions" : "genes", s->n_few_genes,
                 (long long)opt->min_genes);
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
    aucell_signatures_t r = { 0 };
    memset(s, 0, sizeof *s);
    GRN_TRY(aucell_signatures_load(&opt->files, pool, &r));
    GRN_TRY(join(opt, &r, columns, s));
end:
    aucell_signatures_clear(&r);
    if (rc != GRN_OK) aucell_sets_clear(s);
    return rc;
}
