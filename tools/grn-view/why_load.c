#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/why.h"
#include "io/chrom.h"

void why_clear(why_t *w)
{
    free(w->before[0]);
    free(w->before[1]);
    free(w->tg_row);
    free(w->n_sure);
    free(w->n_maybe);
    free(w->all);
    free(w->has_regulon);
    free(w->edge);
    free(w->tf_seen);
    free(w->gene_seen);
    free(w->region_seen);
    free(w->in_rna);
    free(w->tf_open);
    free(w->rna_cells);
    free(w->atac_cells);
    free(w->gene_cells);
    free(w->region_cells);
    for (int k = 0; k < WHY_KINDS; k++) free(w->site[k]);
    free(w->asked);
    grn_regions_clear(&w->places);
    grn_names_clear(&w->types);
    grn_names_clear(&w->tfs);
    grn_names_clear(&w->regions);
    grn_names_clear(&w->genes);
    grn_names_clear(&w->motifs);
    grn_edges_clear(&w->e);
    grn_edges_clear(&w->tg);
    grn_edges_clear(&w->rg);
    json_decref(w->hints);
}

const char *why_hint(const why_t *w, const char *key)
{
    return w->hints ? json_string_value(json_object_get(w->hints, key)) : NULL;
}

/* ---- metadata ---- */

static grn_status number(const json_t *o, const char *path, const char *key, double *x)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v))
        return grn_err(GRN_EFORMAT, "'%s': its metadata 'options' have no number '%s'", path, key);
    *x = json_number_value(v);
    return GRN_OK;
}

static grn_status word_is(const json_t *o, const char *path, const char *key, const char *word,
                          int *is)
{
    const char *s = json_string_value(json_object_get(o, key));
    if (!s)
        return grn_err(GRN_EFORMAT, "'%s': its metadata 'options' have no word '%s'", path, key);
    *is = strcmp(s, word) == 0;
    return GRN_OK;
}

static grn_status read_options(const json_t *j, const char *path, why_opt_t *o)
{
    grn_status rc = GRN_OK;
    double signs = 0, self = 0;
    int none;
    GRN_TRY(word_is(j, path, "method", "gsea", &o->gsea));
    GRN_TRY(word_is(j, path, "method", "rna-only", &o->rna_only));
    GRN_TRY(word_is(j, path, "rho-tg", "spearman", &o->sp_tg));
    GRN_TRY(word_is(j, path, "types", "all", &o->all_types));
    GRN_TRY(number(j, path, "min-rho", &o->min_rho));
    GRN_TRY(number(j, path, "max-fdr", &o->max_fdr));
    GRN_TRY(number(j, path, "max-q", &o->max_q));
    GRN_TRY(number(j, path, "all-signs", &signs));
    GRN_TRY(number(j, path, "min-targets", &o->min_targets));
    o->all_signs = signs != 0;
    if (!o->all_types) {
        GRN_TRY(number(j, path, "min-type-cells", &o->min_type_cells));
        GRN_TRY(number(j, path, "min-tf-frac", &o->min_tf_frac));
        GRN_TRY(number(j, path, "min-gene-frac", &o->min_gene_frac));
        if (!o->rna_only) GRN_TRY(number(j, path, "min-region-frac", &o->min_region_frac));
    }
    if (o->rna_only) {
        GRN_TRY(number(j, path, "top-targets", &o->top_targets));
        GRN_TRY(number(j, path, "top-regulators", &o->top_regulators));
        GRN_TRY(word_is(j, path, "prior", "only", &o->prior_only));
        GRN_TRY(word_is(j, path, "prior", "add", &o->prior_add));
    } else {
        GRN_TRY(word_is(j, path, "rho-rg", "spearman", &o->sp_rg));
        GRN_TRY(word_is(j, path, "extended", "fill", &o->fill));
        GRN_TRY(word_is(j, path, "extended", "none", &none));
        o->extended = !none;
    }
    if (o->gsea) {
        GRN_TRY(number(j, path, "gsea-fdr", &o->gsea_fdr));
        GRN_TRY(number(j, path, "autoregulation", &self));
        o->autoregulation = self != 0;
    }
end:
    return rc;
}

/* Lines of the metadata "motifs"; a name may be there twice. */
grn_status why_motifs(const char *text, grn_names_t *motifs)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    for (size_t k = 1; text && *text; k++) {
        size_t n = strcspn(text, "\n");
        int is_new;
        GRN_TRY(grn_names_add_n(motifs, text, n, NULL, &is_new));
        if (!is_new) {
            s.n = 0;
            GRN_TRY(grn_str_printf(&s, "%.*s#%zu", (int)n, text, k));
            GRN_TRY(grn_names_add(motifs, s.s, NULL, NULL));
        }
        text += n + (text[n] == '\n');
    }
end:
    grn_str_clear(&s);
    return rc;
}

static grn_status read_meta(why_t *w)
{
    grn_status rc = GRN_OK;
    grn_cr_t *r = NULL;
    json_t *j = NULL;
    GRN_TRY(grn_cr_open(&r, w->path, grn_common.pool));
    GRN_TRY(grn_cr_expect(r, "grn.edges", 1));
    const char *options = grn_cr_meta(r, "options"), *files = grn_cr_meta(r, "files");
    if (!options)
        GRN_FAIL(GRN_EFORMAT,
                 "'%s' does not tell the thresholds it was made with (metadata 'options'): give "
                 "the regulons as grn-build "
                 "regulon wrote them, not a subset or links",
                 w->path);
    j = json_loads(options, 0, NULL);
    if (!json_is_object(j))
        GRN_FAIL(GRN_EFORMAT, "'%s': its metadata 'options' are no JSON object", w->path);
    GRN_TRY(read_options(j, w->path, &w->opt));
    w->hints = files ? json_loads(files, 0, NULL) : NULL;
    GRN_TRY(why_motifs(grn_cr_meta(r, "motifs"), &w->motifs));
end:
    json_decref(j);
    grn_cr_close(r);
    return rc;
}

/* ---- files ---- */

/* The file given, or the one the regulons were made from where it still is. */
const char *why_choose(const why_t *w, const char *given, const char *key)
{
    const char *hint = given ? given : why_hint(w, key);
    if (given || !hint) return hint;
    if (access(hint, R_OK) == 0) return hint;
    grn_log_info("'%s', which the regulons were made from, is not there: --%s FILE gives it", hint,
                 key);
    return NULL;
}

static grn_status load_links(const char *path, int is_tg, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_edges_load(path, grn_common.pool, e));
    if (!e->gene || !(is_tg ? e->tf : e->region))
        GRN_FAIL(GRN_EFORMAT, "'%s' does not hold %s links", path,
                 is_tg ? "TF-gene" : "region-gene");
    if (e->n >= WHY_NONE)
        GRN_FAIL(GRN_EUNSUP, "'%s' has %zu links, more than 2^32 - 2", path, e->n);
    GRN_TRY(grn_edges_sort(e));
end:
    return rc;
}

static grn_status need(const grn_edges_t *e, const char *path, const char *name, const float **v)
{
    *v = grn_edges_find_evidence(e, name);
    return *v ? GRN_OK
              : grn_err(GRN_EFORMAT, "'%s' has no column '%s': is it from grn-build link?", path,
                        name);
}

static grn_status columns_of_links(why_t *w)
{
    grn_status rc = GRN_OK;
    if (w->has_tg) {
        GRN_TRY(need(&w->tg, w->file.tf_gene, w->opt.sp_tg ? "rho_sp_tg" : "rho_tg", &w->r_tg));
        w->imp_tg = grn_edges_find_evidence(&w->tg, "importance_tg");
        if (w->opt.max_fdr < 1) GRN_TRY(need(&w->tg, w->file.tf_gene, "fdr_tg", &w->fdr_tg));
    }
    if (w->has_rg) {
        GRN_TRY(need(&w->rg, w->file.region_gene, w->opt.sp_rg ? "rho_sp_rg" : "rho_rg", &w->r_rg));
        w->imp_rg = grn_edges_find_evidence(&w->rg, "importance_rg");
        if (w->opt.max_fdr < 1) GRN_TRY(need(&w->rg, w->file.region_gene, "fdr_rg", &w->fdr_rg));
    }
end:
    return rc;
}

/* Numbers of a dictionary in another; ids[i] of the column become those. */
static grn_status renumber(const grn_names_t *from, grn_names_t *to, uint32_t *a, uint32_t *b,
                           size_t n)
{
    grn_status rc = GRN_OK;
    size_t *map = NULL;
    GRN_TRY(GRN_NEW_RAW(map, from->n));
    for (size_t i = 0; i < from->n; i++)
        GRN_TRY(grn_names_add(to, grn_names_get(from, i), &map[i], NULL));
    for (size_t i = 0; i < n; i++) {
        if (a) a[i] = (uint32_t)map[a[i]];
        if (b) b[i] = (uint32_t)map[b[i]];
    }
end:
    free(map);
    return rc;
}

static grn_status renumber_all(why_t *w)
{
    grn_status rc = GRN_OK;
    grn_edges_t *v[] = { &w->tg, &w->rg, &w->e };
    for (int i = 0; i < 3; i++) {
        GRN_TRY(renumber(&v[i]->genes, &w->genes, v[i]->tf, v[i]->gene, v[i]->n));
        GRN_TRY(renumber(&v[i]->regions, &w->regions, v[i]->region, NULL, v[i]->n));
    }
    if (!w->opt.rna_only) GRN_TRY(grn_regions_from_names(&w->regions, &w->places));
end:
    return rc;
}

uint32_t why_region(const why_t *w, const char *name)
{
    grn_names_t one = { 0 };
    grn_regions_t r = { 0 };
    uint32_t found = WHY_NONE, hit[64];
    size_t k = grn_names_find(&w->regions, name);
    if (k != GRN_NAMES_NONE) return (uint32_t)k;
    if (grn_names_add(&one, name, NULL, NULL) == GRN_OK &&
        grn_regions_from_names(&one, &r) == GRN_OK) {
        size_t chrom =
            grn_chrom_find(&w->places.chroms, grn_names_get(&r.chroms, r.chrom[0]), NULL);
        size_t n = chrom == GRN_NAMES_NONE
                       ? 0
                       : grn_regions_overlap(&w->places, chrom, r.start[0], r.end[0], hit, 64);
        for (size_t i = 0; i < n && i < 64; i++)
            if (w->places.start[hit[i]] == r.start[0] && w->places.end[hit[i]] == r.end[0])
                found = hit[i];
    }
    grn_regions_clear(&r);
    grn_names_clear(&one);
    return found;
}

/* Contexts of the regulons; --context must be among them or among the types of the matrix
 * (why_cells). */
static grn_status load_types(why_t *w)
{
    grn_status rc = GRN_OK;
    if (!w->e.tf || !w->e.gene || !w->e.regulon || !w->e.context ||
        (!w->opt.rna_only && !w->e.region))
        GRN_FAIL(GRN_EFORMAT,
                 "'%s' does not hold regulons: TF, gene, regulon, context%s are needed", w->path,
                 w->opt.rna_only ? "" : " and region");
    GRN_TRY(grn_names_dup(&w->types, &w->e.contexts));
    if (w->opt.all_types) GRN_TRY(grn_names_add(&w->types, "all", NULL, NULL));
end:
    return rc;
}

grn_status why_load(why_t *w, const char *path, const char *tf, const char *gene)
{
    grn_status rc = GRN_OK;
    w->path = path;
    GRN_TRY(read_meta(w));
    if (w->opt.rna_only &&
        (why_cli.region_gene || why_cli.cistromes || why_cli.scan || why_cli.hits || why_cli.atac))
        GRN_FAIL(GRN_EUSAGE,
                 "'%s' was made with --rna-only: it has no regions, no motifs and no ATAC matrix",
                 path);
    GRN_TRY(grn_edges_load(path, grn_common.pool, &w->e));
    GRN_TRY(load_types(w));
    w->file.tf_gene = why_choose(w, why_cli.tf_gene, "tf-gene");
    w->file.region_gene =
        w->opt.rna_only ? NULL : why_choose(w, why_cli.region_gene, "region-gene");
    w->has_tg = w->file.tf_gene != NULL;
    w->has_rg = w->file.region_gene != NULL;
    if (w->has_tg) GRN_TRY(load_links(w->file.tf_gene, 1, &w->tg));
    if (w->has_rg) GRN_TRY(load_links(w->file.region_gene, 0, &w->rg));
    GRN_TRY(columns_of_links(w));
    GRN_TRY(renumber_all(w));
    if (!w->opt.rna_only) GRN_TRY(why_sites(w, tf));
    GRN_TRY(why_names(w, tf, gene));
    GRN_TRY(why_cells(w));
    GRN_TRY(why_candidates(w));
end:
    return rc;
}
