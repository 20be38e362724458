#include "tfsites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/chrom.h"
#include "io/counts.h"
#include "io/edges.h"
#include "io/motif2tf.h"

void grn_tfsites_clear(grn_tfsites_t *s)
{
    free(s->v);
    grn_names_clear(&s->motifs);
    *s = (grn_tfsites_t){ 0 };
}

grn_status grn_region_names(const grn_regions_t *r, grn_names_t *out)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    for (size_t i = 0; i < r->n; i++) {
        s.n = 0;
        GRN_TRY(grn_str_printf(&s, "%s:%" PRIu64 "-%" PRIu64,
                               grn_names_get(&r->chroms, r->chrom[i]), r->start[i], r->end[i]));
        GRN_TRY(grn_names_add(out, s.s, NULL, NULL));
    }
end:
    grn_str_clear(&s);
    return rc;
}

/* "chr1-100-200" -> "chr1:100-200" in place. */
static void colon_form(char *s)
{
    char *last = strrchr(s, '-');
    if (!last || strchr(s, ':')) return;
    *last = 0;
    char *first = strrchr(s, '-');
    *last = '-';
    if (first) *first = ':';
}

size_t grn_region_find(const grn_regions_t *regions, const grn_names_t *canonical, const char *name)
{
    char text[400], chrom[256];
    uint64_t start, end;
    if (strlen(name) >= 300) return SIZE_MAX;
    snprintf(text, sizeof text, "%s", name);
    colon_form(text);
    if (grn_region_parse(text, chrom, sizeof chrom, &start, &end) != GRN_OK) return SIZE_MAX;
    size_t c = grn_chrom_find(&regions->chroms, chrom, NULL);
    if (c == GRN_NAMES_NONE) return SIZE_MAX;
    snprintf(text, sizeof text, "%s:%" PRIu64 "-%" PRIu64, grn_names_get(&regions->chroms, c),
             start, end);
    size_t i = grn_names_find(canonical, text);
    return i == GRN_NAMES_NONE ? SIZE_MAX : i;
}

/* ---- motif -> TFs ---- */

void grn_motif_tfs_clear(grn_motif_tfs_t *m)
{
    free(m->off);
    free(m->tf);
    *m = (grn_motif_tfs_t){ 0 };
}

static size_t gene_of_motif(const char *motif, const grn_names_t *genes, size_t *by_prefix)
{
    size_t k = grn_names_find(genes, motif);
    const char *cut = strchr(motif, '_');
    if (k != GRN_NAMES_NONE || !cut) return k;
    k = grn_names_find_n(genes, motif, (size_t)(cut - motif));
    *by_prefix += k != GRN_NAMES_NONE;
    return k;
}

/* The TFs of a motif that are genes, appended at m->tf[n]. */
static grn_status add_tfs(const grn_motif2tf_t *t, const size_t *pair, size_t n_pairs,
                          const grn_names_t *genes, grn_motif_tfs_t *m, size_t *n)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < n_pairs; i++) {
        size_t k = grn_names_find(genes, grn_names_get(&t->tfs, t->tf[pair[i]]));
        if (k == GRN_NAMES_NONE) continue;
        GRN_TRY(GRN_GROW(m->tf, m->cap, *n + 1));
        m->tf[(*n)++] = (uint32_t)k;
    }
end:
    return rc;
}

grn_status grn_motif_tfs(const grn_names_t *motifs, const char *path, const grn_names_t *genes,
                         grn_motif_tfs_t *m)
{
    grn_status rc = GRN_OK;
    grn_motif2tf_t t = { 0 };
    size_t n = 0, *first = NULL, *pair = NULL;
    char a[200], b[200];
    if (path) {
        GRN_TRY(grn_motif2tf_load(path, NULL, &t));
        GRN_TRY(grn_motif2tf_by_motif(&t, &first, &pair));
    }
    GRN_TRY(GRN_NEW(m->off, motifs->n + 1));
    for (size_t k = 0; k < motifs->n; k++) {
        const char *name = grn_names_get(motifs, k);
        if (path) {
            size_t j = grn_names_find(&t.motifs, name);
            if (j != GRN_NAMES_NONE)
                GRN_TRY(add_tfs(&t, pair + first[j], first[j + 1] - first[j], genes, m, &n));
        } else {
            size_t g = gene_of_motif(name, genes, &m->n_by_prefix);
            if (g != GRN_NAMES_NONE) {
                GRN_TRY(GRN_GROW(m->tf, m->cap, n + 1));
                m->tf[n++] = (uint32_t)g;
            }
        }
        m->off[k + 1] = n;
        m->n_used += n > m->off[k];
    }
    if (n == 0) {
        GRN_FAIL(
            GRN_EEMPTY,
            "none of the %zu motifs stands for a gene of the matrix%s%s; first names: %s vs %s",
            motifs->n, path ? " through " : "", path ? path : "",
            grn_names_show(motifs, 3, a, sizeof a), grn_names_show(genes, 3, b, sizeof b));
    }
end:
    free(pair);
    free(first);
    grn_motif2tf_clear(&t);
    return rc;
}

/* ---- hits ---- */

typedef struct {
    uint32_t motif, region;
    float score;
} hit_t;

typedef struct {
    hit_t *v;
    size_t n, cap;
} hits_t;

static grn_status add_hit(hits_t *h, size_t motif, size_t region, float score)
{
    grn_status rc = GRN_GROW(h->v, h->cap, h->n + 1);
    if (rc == GRN_OK) h->v[h->n++] = (hit_t){ (uint32_t)motif, (uint32_t)region, score };
    return rc;
}

static grn_status read_bed(const char *path, const grn_regions_t *regions, grn_tfsites_t *s,
                           hits_t *h)
{
    grn_status rc = GRN_OK;
    grn_bed_t bed = { 0 };
    uint32_t *found = NULL;
    size_t cap = 0;
    GRN_TRY(grn_bed_load(path, &bed));
    GRN_TRY(grn_names_dup(&s->motifs, &bed.labels));
    s->n_hits = bed.n;
    for (size_t i = 0; i < bed.n; i++) {
        if (bed.label[i] == UINT32_MAX) {
            GRN_FAIL(GRN_EFORMAT, "'%s': hit %zu has no motif name in column 4", path, i + 1);
        }
        size_t chrom =
                   grn_chrom_find(&regions->chroms, grn_names_get(&bed.chroms, bed.chrom[i]), NULL),
               inside = 0;
        size_t n = chrom == GRN_NAMES_NONE
                       ? 0
                       : grn_regions_overlap(regions, chrom, bed.start[i], bed.end[i], found, cap);
        if (n > cap) {
            GRN_TRY(GRN_GROW(found, cap, n));
            grn_regions_overlap(regions, chrom, bed.start[i], bed.end[i], found, cap);
        }
        for (size_t k = 0; k < n; k++) {
            uint32_t r = found[k];
            if (regions->start[r] > bed.start[i] || regions->end[r] < bed.end[i]) continue;
            GRN_TRY(add_hit(h, bed.label[i], r, bed.score[i]));
            inside++;
        }
        s->n_outside += inside == 0;
    }
end:
    free(found);
    grn_bed_clear(&bed);
    return rc;
}

/* Region number of each name of a dictionary, UINT32_MAX where it is none of ours. */
static grn_status map_regions(const grn_names_t *names, const grn_regions_t *regions, uint32_t *map,
                              size_t *n_found)
{
    grn_status rc = GRN_OK;
    grn_names_t canonical = { 0 };
    GRN_TRY(grn_region_names(regions, &canonical));
    *n_found = 0;
    for (size_t i = 0; i < names->n; i++) {
        size_t r = grn_region_find(regions, &canonical, grn_names_get(names, i));
        map[i] = r == SIZE_MAX ? UINT32_MAX : (uint32_t)r;
        *n_found += r != SIZE_MAX;
    }
end:
    grn_names_clear(&canonical);
    return rc;
}

static grn_status read_scan_rows(grn_mr_t *mr, int by_rows, const uint32_t *map, hits_t *h)
{
    grn_status rc = GRN_OK;
    grn_matrix_t block = { 0 };
    uint64_t row = 0;
    int got;
    while ((got = grn_mr_next(mr, 4096, &block)) == 1) {
        GRN_TRY(grn_matrix_to_csr(&block));
        for (uint64_t i = 0; i < block.n_rows; i++, row++) {
            size_t n;
            const uint32_t *idx;
            const float *val;
            grn_matrix_row(&block, i, &n, &idx, &val);
            for (size_t k = 0; k < n; k++) {
                uint32_t region = map[by_rows ? row : idx[k]];
                if (region != UINT32_MAX)
                    GRN_TRY(add_hit(h, by_rows ? idx[k] : row, region, val[k]));
            }
        }
        grn_matrix_clear(&block);
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_matrix_clear(&block);
    return rc;
}

static grn_status read_scan(const char *path, const grn_regions_t *regions, grn_par_t *pool,
                            grn_tfsites_t *s, hits_t *h)
{
    grn_status rc = GRN_OK;
    grn_mr_t *mr = NULL;
    uint32_t *map = NULL;
    size_t found = 0, found_cols = 0;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    GRN_TRY(grn_mr_open(&mr, path, &copt, pool));
    const grn_matrix_t *m = grn_mr_info(mr);
    GRN_TRY(GRN_NEW_RAW(map, m->n_rows > m->n_cols ? m->n_rows : m->n_cols));
    GRN_TRY(map_regions(&m->row, regions, map, &found));
    int by_rows = found > 0;
    if (!by_rows) GRN_TRY(map_regions(&m->col, regions, map, &found_cols));
    const grn_names_t *side = by_rows ? &m->row : &m->col;
    if (found + found_cols == 0) {
        GRN_FAIL(GRN_EEMPTY,
                 "'%s': none of its %" PRIu64 " rows or %" PRIu64
                 " columns is a linked region; first names: %s, %s vs %s:%" PRIu64 "-%" PRIu64,
                 path, m->n_rows, m->n_cols, m->row.n ? grn_names_get(&m->row, 0) : "(none)",
                 m->col.n ? grn_names_get(&m->col, 0) : "(none)",
                 regions->n ? grn_names_get(&regions->chroms, regions->chrom[0]) : "(none)",
                 regions->n ? regions->start[0] : 0, regions->n ? regions->end[0] : 0);
    }
    GRN_TRY(grn_names_dup(&s->motifs, by_rows ? &m->col : &m->row));
    s->n_outside = side->n - found - found_cols;
    GRN_TRY(read_scan_rows(mr, by_rows, map, h));
    s->n_hits = h->n;
end:
    free(map);
    if (mr) grn_mr_close(mr);
    return rc;
}

static int compare_sites(const void *a, const void *b)
{
    const grn_tfsite_t *x = a, *y = b;
    if (x->tf != y->tf) return x->tf < y->tf ? -1 : 1;
    if (x->region != y->region) return x->region < y->region ? -1 : 1;
    if (isnan(x->score) || isnan(y->score)) return isnan(x->score) - isnan(y->score);
    return (x->score < y->score) - (x->score > y->score); /* best first */
}

static grn_status merge_hits(grn_tfsites_t *s, const hits_t *h, const grn_motif_tfs_t *m)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < h->n; i++) {
        for (size_t k = m->off[h->v[i].motif]; k < m->off[h->v[i].motif + 1]; k++) {
            GRN_TRY(GRN_GROW(s->v, s->cap, s->n + 1));
            s->v[s->n++] = (grn_tfsite_t){ m->tf[k], h->v[i].region, h->v[i].score };
        }
    }
    if (s->n) qsort(s->v, s->n, sizeof *s->v, compare_sites);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (n && s->v[n - 1].tf == s->v[i].tf && s->v[n - 1].region == s->v[i].region) continue;
        s->n_tfs += n == 0 || s->v[n - 1].tf != s->v[i].tf;
        s->v[n++] = s->v[i];
    }
    s->n = n;
end:
    return rc;
}

grn_status grn_tfsites_load(const char *scan, const char *hits, const char *motif2tf,
                            const grn_names_t *genes, const grn_regions_t *regions, grn_par_t *pool,
                            grn_tfsites_t *s)
{
    grn_status rc = GRN_OK;
    hits_t h = { 0 };
    grn_motif_tfs_t m = { 0 };
    *s = (grn_tfsites_t){ 0 };
    GRN_TRY(scan ? read_scan(scan, regions, pool, s, &h) : read_bed(hits, regions, s, &h));
    GRN_TRY(grn_motif_tfs(&s->motifs, motif2tf, genes, &m));
    s->n_motifs_used = m.n_used;
    s->n_by_prefix = m.n_by_prefix;
    GRN_TRY(merge_hits(s, &h, &m));
end:
    free(h.v);
    grn_motif_tfs_clear(&m);
    if (rc) grn_tfsites_clear(s);
    return rc;
}
