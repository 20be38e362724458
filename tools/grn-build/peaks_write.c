/* What grn-build peaks writes. */
#include <inttypes.h>

#include "base/file.h"
#include "base/str.h"
#include "peaks.h"

static const char *chrom_name(const grn_peak_names_t *n, uint32_t rank)
{
    return grn_names_get(n->chroms, n->chrom_order[rank]);
}

static grn_status open_in(const char *dir, const char *name, const char *suffix, grn_out_t **o)
{
    grn_str_t path = { 0 };
    grn_status rc = grn_str_printf(&path, "%s/%s.%s", dir, name, suffix);
    if (!rc) rc = grn_out_open(o, path.s, 0);
    grn_str_clear(&path);
    return rc;
}

grn_status grn_peaks_write_narrow(const grn_peak_names_t *n, const char *type_file, uint32_t type, const grn_peaks_t *p,
                                  const char *dir)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    size_t peak = 0;
    (void)type;
    GRN_TRY(open_in(dir, type_file, "narrowPeak", &o));
    for (size_t i = 0; i < p->n; i++) {
        const grn_peak_t *x = &p->v[i];
        int is_next = !i || x->chrom != x[-1].chrom || x->start != x[-1].start,
            more = i + 1 < p->n && x[1].chrom == x->chrom && x[1].start == x->start;
        static const char letter[] = "abcdefghijklmnopqrstuvwxyz";
        size_t sub = 0;
        while (sub < i && p->v[i - sub - 1].chrom == x->chrom && p->v[i - sub - 1].start == x->start) sub++;
        peak += (size_t)is_next;
        GRN_TRY(
            grn_out_printf(o, "%s\t%" PRIu32 "\t%" PRIu32 "\t%s_peak_%zu", chrom_name(n, x->chrom), x->start, x->end, type_file, peak));
        if (sub || more) {
            if (sub >= 26) GRN_TRY(grn_out_printf(o, "%c", letter[sub / 26 - 1 < 26 ? sub / 26 - 1 : 25]));
            GRN_TRY(grn_out_printf(o, "%c", letter[sub % 26]));
        }
        GRN_TRY(grn_out_printf(o, "\t%.0f\t.\t%.6g\t%.6g\t%.6g\t%" PRIu32 "\n", (double)(int64_t)(10 * (double)x->q), (double)x->fold,
                               (double)x->p, (double)x->q, x->summit - x->start));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

grn_status grn_peaks_write_bedgraph(const grn_peak_names_t *n, const char *type_file, const grn_track_t *track, double scale,
                                    const char *dir)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(open_in(dir, type_file, "bedGraph", &o));
    for (size_t k = 0; k < n->n_chroms; k++) {
        grn_pileup_t p;
        grn_run_t r;
        grn_pileup_init(&p, &track[k], 0);
        while (grn_pileup_next(&p, &r))
            if (r.height)
                GRN_TRY(grn_out_printf(o, "%s\t%" PRIu32 "\t%" PRIu32 "\t%.6g\n", chrom_name(n, (uint32_t)k), r.start, r.end,
                                       r.height * scale));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

grn_status grn_peaks_write_consensus(const grn_peak_names_t *n, const grn_consensus_t *c, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    for (size_t i = 0; i < c->n; i++) {
        const grn_interval_t *v = &c->v[i];
        const char *chrom = chrom_name(n, v->chrom);
        GRN_TRY(grn_out_printf(o, "%s\t%" PRIu32 "\t%" PRIu32 "\t%s:%" PRIu32 "-%" PRIu32 "\t%.6g\t%s\n", chrom, v->start, v->end,
                               chrom, v->start, v->end, v->score, grn_names_get(n->types, v->type)));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
