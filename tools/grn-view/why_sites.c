#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/why.h"
#include "io/chrom.h"
#include "io/motif2tf.h"

static void add_site(why_t *w, int kind, uint32_t region, why_site_t s)
{
    why_site_t *old = &w->site[kind][region];
    if (!old->has) {
        *old = s;
        return;
    }
    float nes = isnan(s.nes) || s.nes < old->nes ? old->nes : s.nes;
    if (isnan(old->score) ? !isnan(s.score) : s.score > old->score) *old = s;
    old->nes = nes;
}

/* ---- cistromes of grn-build enrich ---- */

static grn_status read_motif_names(why_t *w, const char *path)
{
    grn_status rc = GRN_OK;
    grn_cr_t *r = NULL;
    grn_names_clear(&w->motifs);
    GRN_TRY(grn_cr_open(&r, path, grn_common.pool));
    GRN_TRY(why_motifs(grn_cr_meta(r, "motifs"), &w->motifs));
end:
    grn_cr_close(r);
    return rc;
}

static grn_status from_cistromes(why_t *w, const char *path, const char *tf)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    GRN_TRY(grn_edges_load(path, grn_common.pool, &e));
    if (!e.tf || !e.region || !e.regulon)
        GRN_FAIL(GRN_EFORMAT, "'%s' does not hold cistromes: TF, region and regulon are needed",
                 path);
    GRN_TRY(read_motif_names(w, path));
    const float *nes = grn_edges_find_evidence(&e, "nes"),
                *fold = grn_edges_find_evidence(&e, "log2fc"),
                *motif = grn_edges_find_evidence(&e, "motif");
    size_t mine = grn_names_find(&e.genes, tf);
    for (size_t i = 0; i < e.genes.n; i++)
        GRN_TRY(grn_names_add(&w->tfs, grn_names_get(&e.genes, i), NULL, NULL));
    for (size_t i = 0; i < e.n; i++) {
        if (e.tf[i] != mine) continue;
        int kind = grn_str_ends(grn_names_get(&e.regulons, e.regulon[i]), "_extended")
                       ? WHY_EXTENDED
                       : WHY_DIRECT;
        uint32_t region = why_region(w, grn_names_get(&e.regions, e.region[i]));
        if (region == WHY_NONE || (kind == WHY_EXTENDED && !w->opt.extended)) continue;
        why_site_t s = { 1, nes ? nes[i] : NAN, nes ? nes[i] : NAN, WHY_NONE };
        if (isnan(s.score) && fold) s.score = fold[i];
        if (motif && motif[i] >= 1) s.motif = (uint32_t)motif[i] - 1;
        add_site(w, kind, region, s);
    }
end:
    grn_edges_clear(&e);
    return rc;
}

/* ---- motifs: a scan or hits ---- */

/* use[m] = 1 for motifs of the TF: by the table, or of its name or its name before the first '_'.
 */
static grn_status motifs_of(const grn_names_t *motifs, const char *table, const char *tf, why_t *w,
                            uint8_t *use)
{
    grn_status rc = GRN_OK;
    grn_motif2tf_t t = { 0 };
    size_t n = strlen(tf);
    if (table) {
        GRN_TRY(grn_motif2tf_load(table, NULL, &t));
        for (size_t i = 0; i < t.n; i++) {
            size_t m = grn_names_find(motifs, grn_names_get(&t.motifs, t.motif[i]));
            const char *name = grn_names_get(&t.tfs, t.tf[i]);
            if (m == GRN_NAMES_NONE) continue;
            GRN_TRY(grn_names_add(&w->tfs, name, NULL, NULL));
            if (strcmp(name, tf) == 0) use[m] = 1;
        }
    } else {
        for (size_t m = 0; m < motifs->n; m++) {
            const char *name = grn_names_get(motifs, m);
            use[m] = strncmp(name, tf, n) == 0 && (!name[n] || name[n] == '_');
            if (use[m]) GRN_TRY(grn_names_add(&w->tfs, tf, NULL, NULL));
        }
    }
end:
    grn_motif2tf_clear(&t);
    return rc;
}

static grn_status from_hits(why_t *w, const char *path, const char *table, const char *tf)
{
    grn_status rc = GRN_OK;
    grn_bed_t b = { 0 };
    uint8_t *use = NULL;
    uint32_t *found = NULL;
    size_t cap = 0;
    GRN_TRY(grn_bed_load(path, &b));
    GRN_TRY(GRN_NEW(use, b.labels.n));
    GRN_TRY(motifs_of(&b.labels, table, tf, w, use));
    grn_names_clear(&w->motifs);
    GRN_TRY(grn_names_dup(&w->motifs, &b.labels));
    for (size_t i = 0; i < b.n; i++) {
        if (b.label[i] == UINT32_MAX)
            GRN_FAIL(GRN_EFORMAT, "'%s': hit %zu has no motif name in column 4", path, i + 1);
        if (!use[b.label[i]]) continue;
        size_t chrom =
            grn_chrom_find(&w->places.chroms, grn_names_get(&b.chroms, b.chrom[i]), NULL);
        size_t n = chrom == GRN_NAMES_NONE
                       ? 0
                       : grn_regions_overlap(&w->places, chrom, b.start[i], b.end[i], found, cap);
        if (n > cap) {
            GRN_TRY(GRN_GROW(found, cap, n));
            grn_regions_overlap(&w->places, chrom, b.start[i], b.end[i], found, cap);
        }
        for (size_t k = 0; k < n; k++) {
            uint32_t r = found[k];
            if (w->places.start[r] <= b.start[i] && w->places.end[r] >= b.end[i])
                add_site(w, WHY_DIRECT, r, (why_site_t){ 1, b.score[i], NAN, b.label[i] });
        }
    }
end:
    free(found);
    free(use);
    grn_bed_clear(&b);
    return rc;
}

static grn_status scan_rows(why_t *w, grn_mr_t *mr, int by_rows, const uint32_t *map,
                            const uint8_t *use)
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
                uint32_t region = map[by_rows ? row : idx[k]],
                         motif = by_rows ? idx[k] : (uint32_t)row;
                if (region != WHY_NONE && use[motif])
                    add_site(w, WHY_DIRECT, region, (why_site_t){ 1, val[k], NAN, motif });
            }
        }
        grn_matrix_clear(&block);
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_matrix_clear(&block);
    return rc;
}

static grn_status from_scan(why_t *w, const char *path, const char *table, const char *tf)
{
    grn_status rc = GRN_OK;
    grn_mr_t *mr = NULL;
    uint32_t *map = NULL;
    uint8_t *use = NULL;
    size_t found = 0;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    GRN_TRY(grn_mr_open(&mr, path, &copt, grn_common.pool));
    const grn_matrix_t *m = grn_mr_info(mr);
    const grn_names_t *side[] = { &m->row, &m->col };
    int k;
    for (k = 0; k < 2 && !found; k++) {
        free(map);
        GRN_TRY(GRN_NEW_RAW(map, side[k]->n));
        for (size_t i = 0; i < side[k]->n; i++)
            found += (map[i] = why_region(w, grn_names_get(side[k], i))) != WHY_NONE;
    }
    if (!found && w->regions.n)
        GRN_FAIL(
            GRN_EEMPTY,
            "'%s': none of its rows or columns is a linked region: was it made with other regions?",
            path);
    int by_rows = k == 1;
    const grn_names_t *motifs = side[by_rows];
    GRN_TRY(GRN_NEW(use, motifs->n));
    GRN_TRY(motifs_of(motifs, table, tf, w, use));
    grn_names_clear(&w->motifs);
    GRN_TRY(grn_names_dup(&w->motifs, motifs));
    GRN_TRY(scan_rows(w, mr, by_rows, map, use));
end:
    free(use);
    free(map);
    if (mr) grn_mr_close(mr);
    return rc;
}

grn_status why_sites(why_t *w, const char *tf)
{
    grn_status rc = GRN_OK;
    int given = why_cli.cistromes || why_cli.scan || why_cli.hits;
    for (int k = 0; k < WHY_KINDS; k++) GRN_TRY(GRN_NEW(w->site[k], w->regions.n));
    const char *cistromes = why_cli.cistromes, *scan = why_cli.scan, *hits = why_cli.hits;
    if (!given) {
        cistromes = why_choose(w, NULL, "cistromes");
        scan = why_choose(w, NULL, "scan");
        hits = why_choose(w, NULL, "motif-hits");
    }
    w->file.motifs = cistromes ? cistromes : scan ? scan : hits;
    w->has_sites = w->file.motifs != NULL;
    if (cistromes) return from_cistromes(w, cistromes, tf);
    if (!w->has_sites) goto end;
    const char *table = why_choose(w, why_cli.motif2tf, "motif2tf");
    if (!table && why_hint(w, "motif2tf"))
        GRN_FAIL(GRN_EIO,
                 "'%s' names motifs; which are of a TF told '%s', which is not there: give "
                 "--motif2tf FILE",
                 w->file.motifs, why_hint(w, "motif2tf"));
    rc = scan ? from_scan(w, scan, table, tf) : from_hits(w, hits, table, tf);
end:
    return rc;
}
