#include "cistrome.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/bed.h"
#include "outdir.h"

void grn_tf_counts_clear(grn_tf_counts_t *n)
{
    free(n->n_enriched);
    free(n->n_direct);
    free(n->n_extended);
    *n = (grn_tf_counts_t){ 0 };
}

/* ---- edges ---- */

typedef struct { /* what a TF has in one region of a set */
    double nes, log2fc, log10_p;
    uint32_t motif, n_motifs;
    uint8_t method, kind;
} site_t;

typedef struct { /* a TF of an enriched motif */
    uint32_t tf, entry;
    uint8_t kind;
} link_t;

enum { NES, LOG2FC, LOG10_P, METHOD, KIND, N_MOTIFS, MOTIF, N_EVIDENCE };
static const char *const evidence[N_EVIDENCE] = { "nes", "log2fc", "log10_p", "method", "kind", "n_motifs", "motif" };

typedef struct {
    uint32_t tf, region, regulon;
    uint16_t set;
    float ev[N_EVIDENCE];
} edge_t;

typedef struct {
    const grn_enrich_t *e;
    const grn_annotation_t *a;
    const grn_regionsets_t *sets;
    int compat;
    link_t *link;
    size_t n_link, link_cap;
    site_t *site;      /* (largest set) */
    uint32_t *touched; /* regions with a site */
    edge_t *v;
    size_t n, cap;
    grn_names_t regions, regulons;
} build_t;

static int by_tf(const void *x, const void *y)
{
    const link_t *a = x, *b = y;
    if (a->tf != b->tf) return a->tf < b->tf ? -1 : 1;
    return a->entry < b->entry ? -1 : a->entry > b->entry;
}

/* Links of entries [first, last), by TF, then in the order of entries: best first within a method. */
static grn_status collect(build_t *b, size_t first, size_t last, uint32_t *n_enriched)
{
    grn_status rc = GRN_OK;
    b->n_link = 0;
    for (size_t k = first; k < last; k++) {
        uint32_t m = b->e->v[k].motif;
        for (size_t i = b->a->off[m]; i < b->a->off[m + 1]; i++) {
            GRN_TRY(GRN_GROW(b->link, b->link_cap, b->n_link + 1));
            b->link[b->n_link++] = (link_t){ b->a->v[i].tf, (uint32_t)k, b->a->v[i].kind };
            n_enriched[b->a->v[i].tf]++;
        }
    }
    if (b->n_link) qsort(b->link, b->n_link, sizeof *b->link, by_tf);
end:
    return rc;
}

static void add_site(site_t *s, const grn_enriched_t *x, uint8_t kind)
{
    int first = s->n_motifs == 0;
    if (first) *s = (site_t){ .nes = NAN, .log2fc = NAN, .log10_p = NAN };
    /* entries come best first, cisTarget before DEM: the first of each method is its best */
    if (x->method == GRN_CISTARGET && isnan(s->nes)) s->nes = x->nes;
    if (x->method == GRN_DEM && isnan(s->log2fc)) {
        s->log2fc = x->dem.log2fc;
        s->log10_p = x->dem.log_p / log(10);
    }
    if (first) s->motif = x->motif;
    s->n_motifs++;
    s->method |= (uint8_t)x->method;
    s->kind |= kind;
}

static grn_status push_edge(build_t *b, const grn_regionset_t *x, size_t set, uint32_t tf, uint32_t regulon, uint32_t item)
{
    grn_status rc = GRN_OK;
    const site_t *s = &b->site[item];
    size_t region;
    GRN_TRY(grn_names_add(&b->regions, grn_names_get(&x->items, item), &region, NULL));
    GRN_TRY(GRN_GROW(b->v, b->cap, b->n + 1));
    edge_t *y = &b->v[b->n++];
    *y = (edge_t){ .tf = tf, .region = (uint32_t)region, .regulon = regulon, .set = (uint16_t)set };
    y->ev[NES] = (float)s->nes;
    y->ev[LOG2FC] = (float)s->log2fc;
    y->ev[LOG10_P] = (float)s->log10_p;
    y->ev[METHOD] = s->method;
    y->ev[KIND] = s->kind;
    y->ev[N_MOTIFS] = (float)s->n_motifs;
    y->ev[MOTIF] = (float)s->motif + 1;
end:
    return rc;
}

/* The cistrome of links [first, last), all of one TF. */
static grn_status add_cistrome(build_t *b, size_t set, size_t first, size_t last, int kinds, const char *suffix)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    const grn_regionset_t *x = &b->sets->v[set];
    uint32_t tf = b->link[first].tf;
    size_t n = 0, regulon;
    for (size_t i = first; i < last; i++) {
        const grn_enriched_t *y = &b->e->v[b->link[i].entry];
        if (!(b->link[i].kind & kinds)) continue;
        for (size_t k = 0; k < y->n_item; k++) {
            if (!b->site[y->item[k]].n_motifs) b->touched[n++] = y->item[k];
            add_site(&b->site[y->item[k]], y, b->link[i].kind & (uint8_t)kinds);
        }
    }
    if (!n) return GRN_OK;
    GRN_TRY(grn_str_printf(&name, "%s_%s", grn_names_get(&b->a->tfs, tf), suffix));
    GRN_TRY(grn_names_add(&b->regulons, name.s, &regulon, NULL));
    for (size_t i = 0; i < n; i++) {
        GRN_TRY(push_edge(b, x, set, tf, (uint32_t)regulon, b->touched[i]));
        b->site[b->touched[i]].n_motifs = 0;
    }
end:
    grn_str_clear(&name);
    return rc;
}

static grn_status add_set(build_t *b, size_t first, size_t last, uint32_t *n_enriched)
{
    grn_status rc = GRN_OK;
    size_t set = b->e->v[first].set;
    GRN_TRY(collect(b, first, last, n_enriched));
    for (size_t i = 0, j; i < b->n_link; i = j) {
        for (j = i; j < b->n_link && b->link[j].tf == b->link[i].tf; j++) continue;
        GRN_TRY(add_cistrome(b, set, i, j, GRN_M2T_DIRECT, "direct"));
        GRN_TRY(add_cistrome(b, set, i, j, b->compat ? GRN_M2T_ANY & ~GRN_M2T_DIRECT : GRN_M2T_ANY, "extended"));
    }
end:
    return rc;
}

static grn_status to_edges(build_t *b, int genes, grn_edges_t *out)
{
    grn_status rc = GRN_OK;
    float *ev[N_EVIDENCE];
    GRN_TRY(grn_edges_alloc(out, b->n, genes ? "tf,gene,regulon,context" : "tf,region,regulon,context"));
    GRN_TRY(grn_names_dup(&out->genes, &b->a->tfs));
    GRN_TRY(grn_names_dup(&out->contexts, &b->sets->names));
    GRN_TRY(grn_names_dup(&out->regulons, &b->regulons));
    if (!genes) GRN_TRY(grn_names_dup(&out->regions, &b->regions));
    for (int k = 0; k < N_EVIDENCE; k++) GRN_TRY(grn_edges_evidence(out, evidence[k], &ev[k]));
    for (size_t i = 0; i < b->n; i++) {
        size_t gene = b->v[i].region;
        out->tf[i] = b->v[i].tf;
        if (genes) GRN_TRY(grn_names_add(&out->genes, grn_names_get(&b->regions, b->v[i].region), &gene, NULL));
        (genes ? out->gene : out->region)[i] = (uint32_t)gene;
        out->regulon[i] = b->v[i].regulon;
        out->context[i] = b->v[i].set;
        for (int k = 0; k < N_EVIDENCE; k++) ev[k][i] = b->v[i].ev[k];
    }
    GRN_TRY(grn_edges_sort(out));
end:
    return rc;
}

/* Distinct regions of each TF's two cistromes. */
static grn_status count_regions(const grn_edges_t *e, int genes, const grn_annotation_t *a, grn_tf_counts_t *n)
{
    grn_status rc = GRN_OK;
    const uint32_t *target = genes ? e->gene : e->region;
    uint32_t *seen = NULL; /* last regulon that had the region, + 1 */
    size_t *first = NULL, *at = NULL, R = genes ? e->genes.n : e->regions.n, L = e->regulons.n;
    GRN_TRY(GRN_NEW(seen, R));
    GRN_TRY(GRN_NEW(first, L + 2));
    GRN_TRY(GRN_NEW_RAW(at, e->n));
    for (size_t i = 0; i < e->n; i++) first[e->regulon[i] + 2]++;
    for (size_t g = 0; g < L; g++) first[g + 2] += first[g + 1];
    for (size_t i = 0; i < e->n; i++) at[first[e->regulon[i] + 1]++] = i;
    for (size_t g = 0; g < L; g++) {
        const char *name = grn_names_get(&e->regulons, g), *cut = strrchr(name, '_');
        size_t tf = grn_names_find_n(&a->tfs, name, (size_t)(cut - name));
        uint32_t *count = cut[1] == 'd' ? n->n_direct : n->n_extended;
        for (size_t k = first[g]; k < first[g + 1]; k++) {
            uint32_t t = target[at[k]];
            count[tf] += seen[t] != g + 1;
            seen[t] = (uint32_t)g + 1;
        }
    }
end:
    free(at);
    free(first);
    free(seen);
    return rc;
}

grn_status grn_cistrome_edges(const grn_enrich_t *e, const grn_annotation_t *a, const grn_regionsets_t *sets, int compat,
                              grn_edges_t *out, grn_tf_counts_t *n)
{
    grn_status rc = GRN_OK;
    build_t b = { .e = e, .a = a, .sets = sets, .compat = compat };
    size_t largest = 0, T = a->tfs.n;
    int genes = sets->v[0].region.n == 0;
    GRN_TRY(GRN_NEW(n->n_enriched, T));
    GRN_TRY(GRN_NEW(n->n_direct, T));
    GRN_TRY(GRN_NEW(n->n_extended, T));
    if (sets->n > UINT16_MAX) GRN_FAIL(GRN_EUNSUP, "%zu region sets; at most %d", sets->n, UINT16_MAX);
    for (size_t s = 0; s < sets->n; s++)
        if (sets->v[s].items.n > largest) largest = sets->v[s].items.n;
    GRN_TRY(GRN_NEW(b.site, largest));
    GRN_TRY(GRN_NEW_RAW(b.touched, largest));
    for (size_t i = 0, j; i < e->n; i = j) {
        for (j = i; j < e->n && e->v[j].set == e->v[i].set; j++) continue;
        GRN_TRY(add_set(&b, i, j, n->n_enriched));
    }
    GRN_TRY(to_edges(&b, genes, out));
    GRN_TRY(count_regions(out, genes, a, n));
end:
    free(b.link);
    free(b.site);
    free(b.touched);
    free(b.v);
    grn_names_clear(&b.regions);
    grn_names_clear(&b.regulons);
    return rc;
}

/* ---- BED ---- */

static grn_status put_bed(const grn_edges_t *e, const grn_regions_t *place, const size_t *at, size_t n, double *score, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    const float *nes = grn_edges_find_evidence(e, "nes"), *log2fc = grn_edges_find_evidence(e, "log2fc");
    for (size_t r = 0; r < place->n; r++) score[r] = NAN;
    for (size_t k = 0; k < n; k++) {
        double x = isnan(nes[at[k]]) ? (double)log2fc[at[k]] : (double)nes[at[k]];
        double *best = &score[e->region[at[k]]];
        *best = isnan(*best) ? x : fmax(*best, x);
    }
    GRN_TRY(grn_out_open(&o, path, 0));
    for (size_t k = 0; k < place->n; k++) {
        uint32_t r = place->order[k];
        if (isnan(score[r])) continue;
        GRN_TRY(grn_out_printf(o, "%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t%.0f\n", grn_names_get(&place->chroms, place->chrom[r]),
                               place->start[r], place->end[r], grn_names_get(&place->names, r),
                               fmax(0, fmin(1000, round(100 * score[r])))));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

grn_status grn_cistrome_beds(const grn_edges_t *e, const char *dir)
{
    grn_status rc = GRN_OK;
    grn_names_t taken = { 0 };
    grn_str_t name = { 0 }, path = { 0 };
    grn_regions_t place = { 0 };
    double *score = NULL;
    size_t *first = NULL, *at = NULL;
    GRN_TRY(grn_outdir_make(dir));
    GRN_TRY(grn_regions_from_names(&e->regions, &place));
    GRN_TRY(GRN_NEW_RAW(score, place.n));
    GRN_TRY(GRN_NEW(first, e->regulons.n + 2));
    GRN_TRY(GRN_NEW_RAW(at, e->n));
    for (size_t i = 0; i < e->n; i++) first[e->regulon[i] + 2]++;
    for (size_t g = 0; g < e->regulons.n; g++) first[g + 2] += first[g + 1];
    for (size_t i = 0; i < e->n; i++) at[first[e->regulon[i] + 1]++] = i;
    for (size_t g = 0; g < e->regulons.n; g++) {
        GRN_TRY(grn_outdir_name(grn_names_get(&e->regulons, g), &taken, &name));
        path.n = 0;
        GRN_TRY(grn_str_printf(&path, "%s/%s.bed", dir, name.s));
        GRN_TRY(put_bed(e, &place, at + first[g], first[g + 1] - first[g], score, path.s));
    }
end:
    free(at);
    free(first);
    free(score);
    grn_regions_clear(&place);
    grn_names_clear(&taken);
    grn_str_clear(&name);
    grn_str_clear(&path);
    return rc;
}
