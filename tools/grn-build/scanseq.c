#include "scanseq.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/chrom.h"
#include "io/prov.h"

void grn_scanseq_clear(grn_scanseq_t *s)
{
    free(s->seq_of);
    grn_regions_clear(&s->regions);
    grn_fasta_close(s->fa);
    memset(s, 0, sizeof *s);
}

const grn_names_t *grn_scanseq_names(const grn_scanseq_t *s)
{
    return s->regions.n ? &s->regions.names : grn_fasta_names(s->fa);
}

const char *grn_scanseq_name(const grn_scanseq_t *s, size_t i)
{
    return grn_names_get(grn_scanseq_names(s), i);
}

int grn_scanseq_place(const grn_scanseq_t *s, size_t i, size_t *seq, uint64_t *start, uint64_t *end)
{
    if (!s->regions.n) {
        *seq = i;
        *start = 0;
        *end = grn_fasta_len(s->fa, i);
        return *end > 0;
    }
    uint32_t q = s->seq_of[s->regions.chrom[i]];
    if (q == UINT32_MAX) return 0;
    uint64_t len = grn_fasta_len(s->fa, q);
    *seq = q;
    *start = s->regions.start[i];
    *end = s->regions.end[i] < len ? s->regions.end[i] : len;
    return *start < *end;
}

/* Which sequence each chromosome is, with what was renamed and what is missing. */
static grn_status match_chromosomes(grn_scanseq_t *s)
{
    grn_status rc = GRN_OK;
    grn_names_t lost = { 0 }, renamed = { 0 };
    char a[512], b[512];
    uint64_t n_lost = 0;
    const grn_names_t *names = grn_fasta_names(s->fa);
    GRN_TRY(GRN_NEW(s->seq_of, s->regions.chroms.n));
    for (size_t c = 0; c < s->regions.chroms.n; c++) {
        const char *name = grn_names_get(&s->regions.chroms, c);
        int other;
        size_t k = grn_chrom_find(names, name, &other);
        s->seq_of[c] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
        if (k == GRN_NAMES_NONE) GRN_TRY(grn_names_add(&lost, name, NULL, NULL));
        else if (other) GRN_TRY(grn_names_add(&renamed, name, NULL, NULL));
        if (k == GRN_NAMES_NONE) n_lost += s->regions.chrom_off[c + 1] - s->regions.chrom_off[c];
    }
    if (lost.n == s->regions.chroms.n)
        GRN_FAIL(GRN_EEMPTY, "no chromosome of the regions is in '%s'; regions: %s; FASTA: %s", s->path,
                 grn_names_show(&s->regions.chroms, 3, a, sizeof a), grn_names_show(names, 3, b, sizeof b));
    if (renamed.n)
        grn_log_warn("chromosomes: %zu spelled differently in regions and FASTA were taken for the same: %s", renamed.n,
                     grn_names_show(&renamed, 5, a, sizeof a));
    if (lost.n)
        grn_log_warn("regions: %" PRIu64 " lie on %zu chromosomes that '%s' does not hold: %s", n_lost, lost.n, s->path,
                     grn_names_show(&lost, 5, a, sizeof a));
end:
    grn_names_clear(&lost);
    grn_names_clear(&renamed);
    return rc;
}

grn_status grn_scanseq_open(grn_scanseq_t *s, const char *fasta, const char *bed, int mask)
{
    grn_status rc = GRN_OK;
    s->path = fasta;
    s->mask = mask;
    GRN_TRY(grn_prov_input(fasta, NULL));
    GRN_TRY(grn_fasta_open(&s->fa, fasta));
    if (grn_fasta_unpacked(s->fa)) grn_log_info("genome: '%s' was unpacked to TMPDIR; compress it with bgzip to save this", fasta);
    s->n = grn_fasta_names(s->fa)->n;
    if (bed) {
        GRN_TRY(grn_prov_input(bed, NULL));
        GRN_TRY(grn_regions_load(bed, &s->regions));
        if (!s->regions.n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no region", bed);
        s->n = s->regions.n;
        if (s->regions.n_duplicate)
            grn_log_warn("regions: %" PRIu64 " rows repeat an interval and are left out", s->regions.n_duplicate);
        GRN_TRY(match_chromosomes(s));
    }
end:
    return rc;
}

static uint64_t beyond(const grn_scanseq_t *s, size_t i)
{
    uint32_t q = s->regions.n ? s->seq_of[s->regions.chrom[i]] : UINT32_MAX;
    return q != UINT32_MAX && s->regions.end[i] > grn_fasta_len(s->fa, q);
}

/* Rows that reach beyond their sequence, and rows without a base, are counted and said. */
grn_status grn_scanseq_survey(grn_scanseq_t *s, uint64_t count[5])
{
    grn_status rc = GRN_OK;
    uint8_t *code = NULL;
    size_t cap = 0;
    uint64_t n_beyond = 0, n_blank = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t seq;
        uint64_t start, end, before = count[0] + count[1] + count[2] + count[3];
        n_beyond += beyond(s, i);
        if (grn_scanseq_place(s, i, &seq, &start, &end)) {
            GRN_TRY(GRN_GROW(code, cap, end - start));
            GRN_TRY(grn_fasta_fetch(s->fa, seq, start, end, s->mask, code));
            for (uint64_t k = 0; k < end - start; k++) count[code[k]]++;
        }
        n_blank += before == count[0] + count[1] + count[2] + count[3];
    }
    s->n_gaps = count[4];
    s->n_bases = count[0] + count[1] + count[2] + count[3];
    if (n_beyond) grn_log_warn("regions: %" PRIu64 " reach beyond the end of their chromosome (another genome build?)", n_beyond);
    grn_log_info("regions: %zu, of which %" PRIu64 " without any known base; %" PRIu64 " bases, %" PRIu64 " N", s->n, n_blank,
                 s->n_bases, s->n_gaps);
    if (!s->n_bases) GRN_FAIL(GRN_EEMPTY, "no region has a known base in '%s'", s->path);
end:
    free(code);
    return rc;
}
