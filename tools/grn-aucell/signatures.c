#include "grn-aucell/signatures.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/container.h"
#include "io/edges.h"
#include "io/gmt.h"

void aucell_signatures_clear(aucell_signatures_t *s)
{
    grn_names_clear(&s->sets);
    grn_names_clear(&s->genes);
    free(s->m);
    memset(s, 0, sizeof *s);
}

/* ---- one file ---- */

/* Set of an edge without regulons: TF and sign. */
static grn_status edge_set(const grn_edges_t *e, size_t i, aucell_signatures_t *s, uint32_t *set)
{
    grn_str_t name = { 0 };
    size_t k = 0;
    grn_status rc = grn_edges_regulon_name(e, i, &name);
    if (rc == GRN_OK) rc = grn_names_add(&s->sets, name.s, &k, NULL);
    *set = (uint32_t)k;
    grn_str_clear(&name);
    return rc;
}

static grn_status read_edges(const char *path, int regions, grn_par_t *pool, aucell_signatures_t *s)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    GRN_TRY(grn_edges_load(path, pool, &e));
    const uint32_t *member = regions ? e.region : e.gene;
    if (!member || !(e.regulon || e.tf))
        GRN_FAIL(GRN_EFORMAT, "'%s' has no %s column, or neither regulons nor TFs%s", path, regions ? "region" : "gene",
                 !regions && e.region ? "; its regions are sets for a matrix of regions (--target region)" : "");
    GRN_TRY(grn_names_dup(&s->genes, regions ? &e.regions : &e.genes));
    if (e.regulon) GRN_TRY(grn_names_dup(&s->sets, &e.regulons));
    GRN_TRY(GRN_NEW_RAW(s->m, e.n));
    for (; s->n < e.n; s->n++) {
        aucell_member_t *m = &s->m[s->n];
        *m = (aucell_member_t){ e.regulon ? e.regulon[s->n] : 0, member[s->n], e.weight ? e.weight[s->n] : 1 };
        if (!e.regulon) GRN_TRY(edge_set(&e, s->n, s, &m->set));
    }
end:
    grn_edges_clear(&e);
    return rc;
}

static grn_status read_gmt(const char *path, aucell_signatures_t *s)
{
    grn_status rc = GRN_OK;
    grn_gmt_t g = { 0 };
    GRN_TRY(grn_gmt_load(path, &g));
    GRN_TRY(grn_names_dup(&s->sets, &g.sets));
    GRN_TRY(grn_names_dup(&s->genes, &g.genes));
    s->n = (size_t)(g.n ? g.off[g.n] : 0);
    GRN_TRY(GRN_NEW_RAW(s->m, s->n));
    for (size_t k = 0; k < g.n; k++)
        for (uint64_t i = g.off[k]; i < g.off[k + 1]; i++) s->m[i] = (aucell_member_t){ (uint32_t)k, g.gene[i], 1 };
end:
    grn_gmt_clear(&g);
    return rc;
}

static grn_status read_file(const aucell_signatures_opt_t *opt, const char *path, grn_par_t *pool, aucell_signatures_t *s)
{
    grn_status rc;
    int edges = strcmp(path, "-") == 0 || grn_cr_sniff(path);
    if (opt->weights && !edges) return grn_err(GRN_EUSAGE, "--weights: '%s' is a GMT file, which has no weights", path);
    rc = edges ? read_edges(path, opt->regions, pool, s) : read_gmt(path, s);
    if (rc == GRN_OK && s->sets.n == 0) rc = grn_err(GRN_EEMPTY, "'%s' holds no gene set", path);
    return rc;
}

/* ---- all files ---- */

/* Name of set k of a file among all sets. */
static grn_status full_name(const aucell_signatures_opt_t *opt, size_t file, const char *set, grn_str_t *name)
{
    const char *base = grn_path_base(opt->path[file]);
    name->n = 0;
    if (!opt->with_file) return grn_str_printf(name, "%s", set);
    return grn_str_printf(name, "%.*s:%s", (int)strcspn(base, "."), base, set);
}

/* Adds the sets of a file; of_file[set]: which file it came from. */
static grn_status merge(const aucell_signatures_opt_t *opt, size_t file, const aucell_signatures_t *part, aucell_signatures_t *all,
                        uint32_t **of_file, size_t *of_file_cap)
{
    grn_status rc = GRN_OK;
    uint32_t *set = NULL, *gene = NULL;
    grn_str_t name = { 0 };
    size_t k;
    int is_new;
    GRN_TRY(GRN_NEW(set, part->sets.n));
    GRN_TRY(GRN_NEW(gene, part->genes.n));
    for (size_t i = 0; i < part->sets.n; i++) {
        GRN_TRY(full_name(opt, file, grn_names_get(&part->sets, i), &name));
        GRN_TRY(grn_names_add(&all->sets, name.s, &k, &is_new));
        if (!is_new)
            GRN_FAIL(GRN_EFORMAT, "the set '%s' is in '%s' and in '%s'%s", name.s, opt->path[(*of_file)[k]], opt->path[file],
                     opt->with_file ? "" : "; --set-file calls them by file and set");
        GRN_TRY(GRN_GROW(*of_file, *of_file_cap, k + 1));
        (*of_file)[k] = (uint32_t)file;
        set[i] = (uint32_t)k;
    }
    for (size_t i = 0; i < part->genes.n; i++) {
        GRN_TRY(grn_names_add(&all->genes, grn_names_get(&part->genes, i), &k, NULL));
        gene[i] = (uint32_t)k;
    }
    GRN_TRY(GRN_GROW(all->m, all->cap, all->n + part->n));
    for (size_t i = 0; i < part->n; i++)
        all->m[all->n++] = (aucell_member_t){ set[part->m[i].set], gene[part->m[i].gene], part->m[i].weight };
end:
    grn_str_clear(&name);
    free(set);
    free(gene);
    return rc;
}

static int by_set_gene(const void *a, const void *b)
{
    const aucell_member_t *x = a, *y = b;
    if (x->set != y->set) return x->set < y->set ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

/* Renumbers the sets in bytewise name order, sorts by set and gene, keeps each gene of a set once with its largest weight. */
static grn_status normalise(aucell_signatures_t *s)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL, *rank = NULL;
    grn_names_t sorted = { 0 };
    size_t k = 0;
    GRN_TRY(GRN_NEW(order, s->sets.n));
    GRN_TRY(GRN_NEW(rank, s->sets.n));
    GRN_TRY(grn_names_sort(&s->sets, order));
    for (size_t i = 0; i < s->sets.n; i++) {
        rank[order[i]] = (uint32_t)i;
        GRN_TRY(grn_names_add(&sorted, grn_names_get(&s->sets, order[i]), NULL, NULL));
    }
    for (size_t i = 0; i < s->n; i++) s->m[i].set = rank[s->m[i].set];
    if (s->n > 0) qsort(s->m, s->n, sizeof *s->m, by_set_gene);
    for (size_t i = 0; i < s->n; i++) {
        if (k > 0 && by_set_gene(&s->m[k - 1], &s->m[i]) == 0) {
            if (s->m[i].weight > s->m[k - 1].weight) s->m[k - 1].weight = s->m[i].weight;
        } else {
            s->m[k++] = s->m[i];
        }
    }
    s->n = k;
    grn_names_clear(&s->sets);
    s->sets = sorted;
    memset(&sorted, 0, sizeof sorted);
end:
    free(order);
    free(rank);
    grn_names_clear(&sorted);
    return rc;
}

grn_status aucell_signatures_load(const aucell_signatures_opt_t *opt, grn_par_t *pool, aucell_signatures_t *s)
{
    grn_status rc = GRN_OK;
    aucell_signatures_t part = { 0 };
    uint32_t *of_file = NULL;
    size_t of_file_cap = 0;
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < opt->n_paths; i++) {
        GRN_TRY(read_file(opt, opt->path[i], pool, &part));
        GRN_TRY(merge(opt, i, &part, s, &of_file, &of_file_cap));
        aucell_signatures_clear(&part);
    }
    GRN_TRY(normalise(s));
end:
    free(of_file);
    aucell_signatures_clear(&part);
    if (rc != GRN_OK) aucell_signatures_clear(s);
    return rc;
}
