#include "hits.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/bed.h"
#include "io/chrom.h"
#include "io/prov.h"

void grn_best_clear(grn_best_t *b)
{
    free(b->e);
    memset(b, 0, sizeof *b);
}

grn_status grn_best_add(grn_best_t *b, size_t row, size_t col, float v)
{
    grn_status rc = GRN_GROW(b->e, b->cap, b->n + 1);
    if (!rc) b->e[b->n++] = (grn_best_entry_t){ (uint32_t)row, (uint32_t)col, v };
    return rc;
}

static int by_pair(const void *a, const void *b)
{
    const grn_best_entry_t *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    if (x->col != y->col) return x->col < y->col ? -1 : 1;
    return x->v > y->v ? -1 : x->v < y->v; /* best first */
}

grn_status grn_best_matrix(grn_best_t *b, size_t n_rows, size_t n_cols, grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    if (b->n) qsort(b->e, b->n, sizeof *b->e, by_pair);
    for (size_t i = 0; i < b->n; i++)
        if (!i || b->e[i].row != b->e[i - 1].row || b->e[i].col != b->e[i - 1].col) n++;
    m->n_rows = n_rows;
    m->n_cols = n_cols;
    GRN_TRY(GRN_NEW(m->indptr, n_rows + 1));
    GRN_TRY(GRN_NEW_RAW(m->indices, n));
    GRN_TRY(GRN_NEW_RAW(m->data, n));
    n = 0;
    for (size_t i = 0; i < b->n; i++) {
        const grn_best_entry_t *x = &b->e[i];
        if (i && x->row == x[-1].row && x->col == x[-1].col) continue;
        m->indices[n] = x->col;
        m->data[n++] = x->v > 0 ? x->v : 1.0f / 256;
        m->indptr[x->row + 1]++;
    }
    for (size_t i = 0; i < n_rows; i++) m->indptr[i + 1] += m->indptr[i];
    b->n = 0;
end:
    return rc;
}

/* Whether every site has a score above 0. */
static int has_scores(const grn_bed_t *sites)
{
    for (size_t i = 0; i < sites->n; i++)
        if (!(sites->score[i] > 0) || isinf(sites->score[i])) return 0;
    return 1;
}

typedef struct {
    grn_bed_t sites;
    grn_regions_t regions;
    grn_names_t motifs;  /* in name order */
    uint32_t *motif_of;  /* (sites.labels.n) */
    uint64_t n_unnamed, n_no_chrom, n_outside, n_renamed;
    grn_best_t best;
} hits_t;

static grn_status sort_motifs(hits_t *h)
{
    grn_status rc = GRN_OK;
    const grn_names_t *labels = &h->sites.labels;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, labels->n));
    GRN_TRY(GRN_NEW_RAW(h->motif_of, labels->n));
    GRN_TRY(grn_names_sort(labels, order));
    for (size_t k = 0; k < labels->n; k++) {
        GRN_TRY(grn_names_add(&h->motifs, grn_names_get(labels, order[k]), NULL, NULL));
        h->motif_of[order[k]] = (uint32_t)k;
    }
end:
    free(order);
    return rc;
}

/* Puts every site into the regions that hold it wholly. */
static grn_status place_sites(hits_t *h, int scored)
{
    grn_status rc = GRN_OK;
    const grn_bed_t *s = &h->sites;
    uint32_t *found = NULL, *chrom_of = NULL;
    size_t cap = 0;
    int renamed;
    GRN_TRY(GRN_NEW(chrom_of, s->chroms.n));
    for (size_t c = 0; c < s->chroms.n; c++) {
        size_t k = grn_chrom_find(&h->regions.chroms, grn_names_get(&s->chroms, c), &renamed);
        chrom_of[c] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
        h->n_renamed += (uint64_t)renamed;
    }
    for (size_t i = 0; i < s->n; i++) {
        uint32_t chrom = chrom_of[s->chrom[i]];
        size_t n = 0, inside = 0;
        if (s->label[i] == UINT32_MAX) h->n_unnamed++;
        else if (chrom == UINT32_MAX) h->n_no_chrom++;
        if (s->label[i] == UINT32_MAX || chrom == UINT32_MAX) continue;
        while ((n = grn_regions_overlap(&h->regions, chrom, s->start[i], s->end[i], found, cap)) > cap) GRN_TRY(GRN_GROW(found, cap, n));
        for (size_t k = 0; k < n; k++) {
            uint32_t r = found[k];
            if (h->regions.start[r] > s->start[i] || h->regions.end[r] < s->end[i]) continue;
            GRN_TRY(grn_best_add(&h->best, r, h->motif_of[s->label[i]], scored ? s->score[i] : 1));
            inside++;
        }
        h->n_outside += !inside;
    }
end:
    free(found);
    free(chrom_of);
    return rc;
}

static grn_status write_hits(hits_t *h, const char *output, int scored)
{
    grn_status rc = GRN_OK;
    grn_matrix_t m = { 0 };
    grn_attrs_t none = { 0 };
    grn_mw_t *w = NULL;
    GRN_TRY(grn_best_matrix(&h->best, h->regions.n, h->motifs.n, &m));
    if (!m.indptr[m.n_rows]) GRN_FAIL(GRN_EEMPTY, "no site lies in a region");
    grn_log_info("written: %zu regions x %zu motifs, %" PRIu64 " pairs", h->regions.n, h->motifs.n, m.indptr[m.n_rows]);
    GRN_TRY(grn_names_dup(&m.row, &h->regions.names));
    GRN_TRY(grn_mw_open(&w, output, &h->motifs, &none, 0, grn_common.pool));
    GRN_TRY(grn_mw_meta(w, "values", scored ? "best score of the sites given" : "1 where a site was given"));
    GRN_TRY(grn_mw_append(w, &m));
    grn_mw_t *done = w;
    w = NULL;
    GRN_TRY(grn_mw_commit(done));
end:
    grn_mw_abort(w);
    grn_matrix_clear(&m);
    return rc;
}

grn_status grn_hits_run(const char *hits, const char *regions, const char *output)
{
    grn_status rc = GRN_OK;
    hits_t h = { 0 };
    char a[512], b[512];
    GRN_TRY(grn_prov_input(hits, NULL));
    GRN_TRY(grn_prov_input(regions, NULL));
    GRN_TRY(grn_regions_load(regions, &h.regions));
    GRN_TRY(grn_bed_load(hits, &h.sites));
    if (!h.regions.n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no region", regions);
    if (!h.sites.n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no site", hits);
    if (!h.sites.labels.n) GRN_FAIL(GRN_EFORMAT, "'%s' names no motif in column 4", hits);
    int scored = has_scores(&h.sites);
    if (!scored) grn_log_warn("sites: not every score (column 5) is above 0; all count as 1");
    GRN_TRY(sort_motifs(&h));
    GRN_TRY(place_sites(&h, scored));
    if (h.n_renamed) grn_log_warn("chromosomes: %" PRIu64 " spelled differently in sites and regions were taken for the same", h.n_renamed);
    grn_log_info("sites: %zu read, %" PRIu64 " without a motif name, %" PRIu64 " on chromosomes without regions, %" PRIu64
                 " not wholly in a region", h.sites.n, h.n_unnamed, h.n_no_chrom, h.n_outside);
    if (h.n_no_chrom + h.n_unnamed == h.sites.n)
        GRN_FAIL(GRN_EEMPTY, "no site is on a chromosome of the regions; sites: %s; regions: %s",
                 grn_names_show(&h.sites.chroms, 3, a, sizeof a), grn_names_show(&h.regions.chroms, 3, b, sizeof b));
    GRN_TRY(write_hits(&h, output, scored));
end:
    grn_best_clear(&h.best);
    free(h.motif_of);
    grn_names_clear(&h.motifs);
    grn_bed_clear(&h.sites);
    grn_regions_clear(&h.regions);
    return rc;
}
