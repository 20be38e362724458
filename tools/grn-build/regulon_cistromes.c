#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/chrom.h"
#include "io/container.h"
#include "regulon_priv.h"

typedef struct { /* a region of a cistrome in one set of regions */
    grn_tfsite_t site;
    grn_note_t note;
} entry_t;

static float larger(float a, float b) /* NaN: not there */
{
    return isnan(a) || b > a ? b : a;
}

static int by_site(const void *a, const void *b)
{
    const entry_t *x = a, *y = b;
    if (x->site.tf != y->site.tf) return x->site.tf < y->site.tf ? -1 : 1;
    if (x->site.region != y->site.region) return x->site.region < y->site.region ? -1 : 1;
    if (isnan(x->site.score) != isnan(y->site.score)) return isnan(x->site.score) ? 1 : -1;
    if (x->site.score != y->site.score && !isnan(x->site.score)) return x->site.score > y->site.score ? -1 : 1;
    return (x->note.motif > y->note.motif) - (x->note.motif < y->note.motif);
}

/* One site per TF and region: the best of its sets. */
static grn_status merge(entry_t *v, size_t n, grn_tfsites_t *s, grn_note_t **note)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(s->v, n));
    GRN_TRY(GRN_NEW_RAW(*note, n));
    if (n) qsort(v, n, sizeof *v, by_site);
    for (size_t i = 0; i < n; i++) {
        grn_tfsite_t *last = s->n ? &s->v[s->n - 1] : NULL;
        if (last && last->tf == v[i].site.tf && last->region == v[i].site.region) {
            grn_note_t *x = &(*note)[s->n - 1];
            x->nes = larger(x->nes, v[i].note.nes);
            x->log2fc = larger(x->log2fc, v[i].note.log2fc);
            continue;
        }
        s->n_tfs += !last || last->tf != v[i].site.tf;
        (*note)[s->n] = v[i].note;
        s->v[s->n++] = v[i].site;
    }
end:
    return rc;
}

/* The kind of each cistrome, by the end of its name. */
static grn_status read_kinds(const grn_edges_t *e, const char *path, uint8_t *kind)
{
    static const char *const end[N_KINDS] = { "_direct", "_extended" };
    for (size_t i = 0; i < e->regulons.n; i++) {
        const char *name = grn_names_get(&e->regulons, i);
        size_t n = strlen(name), k = 0;
        while (k < N_KINDS && (n < strlen(end[k]) || strcmp(name + n - strlen(end[k]), end[k]) != 0)) k++;
        if (k == N_KINDS)
            return grn_err(GRN_EFORMAT, "'%s': '%s' is neither TF_direct nor TF_extended: is it the cistromes of grn-build enrich?",
                           path, name);
        kind[i] = (uint8_t)k;
    }
    return GRN_OK;
}

static grn_status map_names(const grn_regulon_t *g, const grn_edges_t *e, const char *path, uint32_t *tf, uint32_t *region)
{
    grn_status rc = GRN_OK;
    grn_names_t canonical = { 0 };
    char a[200], b[200];
    size_t n_tf = 0, n_region = 0;
    GRN_TRY(grn_region_names(&g->regions, &canonical));
    for (size_t i = 0; i < e->genes.n; i++) {
        size_t k = grn_names_find(&g->genes, grn_names_get(&e->genes, i));
        tf[i] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
        n_tf += k != GRN_NAMES_NONE;
    }
    for (size_t i = 0; i < e->regions.n; i++) {
        size_t k = grn_region_find(&g->regions, &canonical, grn_names_get(&e->regions, i));
        region[i] = k == SIZE_MAX ? UINT32_MAX : (uint32_t)k;
        n_region += k != SIZE_MAX;
    }
    if (!n_tf)
        GRN_FAIL(GRN_EEMPTY, "none of the %zu TFs of '%s' is a gene of the matrix; first names: %s vs %s", e->genes.n, path,
                 grn_names_show(&e->genes, 3, a, sizeof a), grn_names_show(&g->genes, 3, b, sizeof b));
    if (!n_region)
        GRN_FAIL(GRN_EEMPTY, "none of the %zu regions of '%s' is linked to a gene; first names: %s vs %s", e->regions.n, path,
                 grn_names_show(&e->regions, 3, a, sizeof a), grn_names_show(&g->rg.regions, 3, b, sizeof b));
end:
    grn_names_clear(&canonical);
    return rc;
}

/* Reads the edges and the names of their motifs. */
static grn_status read_edges(grn_regulon_t *g, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    grn_cr_t *r = NULL;
    const char *path = g->opt->cistromes;
    GRN_TRY(grn_edges_load(path, grn_common.pool, e));
    if (!e->tf || !e->region || !e->regulon)
        GRN_FAIL(GRN_EFORMAT, "'%s' does not hold cistromes: TF, region and regulon are needed", path);
    if (e->n > UINT32_MAX - 1) GRN_FAIL(GRN_EUNSUP, "'%s' has %zu edges, more than 2^32 - 2", path, e->n);
    GRN_TRY(grn_cr_open(&r, path, grn_common.pool));
    const char *names = grn_cr_meta(r, "motifs");
    if (names && !(g->motif_names = strdup(names))) GRN_FAIL(GRN_ENOMEM, "out of memory");
end:
    grn_cr_close(r);
    return rc;
}

grn_status grn_regulon_cistromes(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    uint32_t *tf = NULL, *region = NULL;
    uint8_t *kind = NULL;
    entry_t *v[N_KINDS] = { 0 };
    size_t n[N_KINDS] = { 0 }, n_tf = 0, lost[2] = { 0 };
    GRN_TRY(read_edges(g, &e));
    const float *nes = grn_edges_find_evidence(&e, "nes"), *fold = grn_edges_find_evidence(&e, "log2fc"),
                *motif = grn_edges_find_evidence(&e, "motif");
    GRN_TRY(GRN_NEW_RAW(tf, e.genes.n));
    GRN_TRY(GRN_NEW_RAW(region, e.regions.n));
    GRN_TRY(GRN_NEW_RAW(kind, e.regulons.n));
    GRN_TRY(read_kinds(&e, g->opt->cistromes, kind));
    if (e.n) GRN_TRY(map_names(g, &e, g->opt->cistromes, tf, region));
    for (int k = 0; k < N_KINDS; k++) GRN_TRY(GRN_NEW_RAW(v[k], e.n));
    for (size_t i = 0; i < e.n; i++) {
        int k = kind[e.regulon[i]];
        if (k == EXTENDED && g->opt->extended == GRN_EXTENDED_NONE) continue;
        uint32_t t = tf[e.tf[i]], r = region[e.region[i]];
        lost[0] += t == UINT32_MAX;
        lost[1] += t != UINT32_MAX && r == UINT32_MAX;
        n_tf += t != UINT32_MAX;
        if (t == UINT32_MAX || r == UINT32_MAX) continue;
        grn_note_t note = { nes ? nes[i] : NAN, fold ? fold[i] : NAN, motif ? motif[i] : NAN };
        v[k][n[k]++] = (entry_t){ { t, r, isnan(note.nes) ? note.log2fc : note.nes }, note };
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "regions", n_tf, lost[0], "regions of cistromes whose TF is a gene of the matrix"));
    GRN_TRY(grn_funnel_add(&g->funnel, "regions", n_tf - lost[1], lost[1], "regions of cistromes that are linked to a gene"));
    for (int k = 0; k < N_KINDS; k++) GRN_TRY(merge(v[k], n[k], &g->sites[k], &g->note[k]));
    grn_log_info("cistromes: %zu TFs and %zu regions of direct annotation, %zu and %zu extended", g->sites[DIRECT].n_tfs,
                 g->sites[DIRECT].n, g->sites[EXTENDED].n_tfs, g->sites[EXTENDED].n);
end:
    for (int k = 0; k < N_KINDS; k++) free(v[k]);
    free(kind);
    free(region);
    free(tf);
    grn_edges_clear(&e);
    return rc;
}
