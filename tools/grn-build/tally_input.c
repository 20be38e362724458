#include "tally_input.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "io/chrom.h"
#include "io/prov.h"
#include "io/tflist.h"

/* "sample1_{}" -> prefix, suffix. */
static grn_status split_template(const char *s, grn_str_t *prefix, const char **suffix)
{
    const char *hole = strstr(s, "{}");
    if (!hole || strstr(hole + 2, "{}"))
        return grn_err(GRN_EUSAGE, "--rename '%s' needs exactly one {} where the barcode goes", s);
    prefix->n = 0;
    *suffix = hole + 2;
    return grn_str_add(prefix, s, (size_t)(hole - s));
}

grn_status grn_tally_barcodes(const grn_tally_input_t *in, grn_fragpass_t *pass)
{
    grn_status rc = GRN_OK;
    grn_names_t raw = { 0 };
    uint64_t n_dup = 0, n_same = 0;
    int is_new;
    if (!in->barcodes) return GRN_OK;
    GRN_TRY(grn_prov_input(in->barcodes, NULL));
    GRN_TRY(grn_tflist_load(in->barcodes, &raw, &n_dup));
    for (size_t i = 0; i < raw.n; i++) {
        const char *s = grn_names_get(&raw, i);
        size_t n = pass->strip_suffix ? grn_barcode_bare(s, strlen(s)) : strlen(s);
        GRN_TRY(grn_names_add_n(&pass->cells, s, n, NULL, &is_new));
        n_same += !is_new;
    }
    if (n_same)
        GRN_FAIL(GRN_EFORMAT, "'%s': %" PRIu64 " barcodes are the same without their suffix; several samples need --rename instead",
                 in->barcodes, n_same);
    if (!pass->cells.n) GRN_FAIL(GRN_EEMPTY, "'%s' lists no barcode", in->barcodes);
    pass->listed_only = 1;
    grn_log_info("barcodes: %zu listed in '%s'%s", pass->cells.n, in->barcodes, n_dup ? " (some twice)" : "");
end:
    grn_names_clear(&raw);
    return rc;
}

grn_status grn_tally_naming(const grn_tally_input_t *in, int n, int i, grn_str_t *prefix, const char **suffix)
{
    *suffix = "";
    if (!in->rename.n) return GRN_OK;
    if (in->rename.n != (size_t)n) return grn_err(GRN_EUSAGE, "--rename is given %zu times for %d fragment files", in->rename.n, n);
    return split_template(in->rename.v[i], prefix, suffix);
}

grn_status grn_tally_load_regions(const char *path, grn_regions_t *r)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_prov_input(path, NULL));
    GRN_TRY(grn_regions_load(path, r));
    if (!r->n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no region", path);
    grn_log_info("regions: %zu on %zu chromosomes%s", r->n, r->chroms.n, r->n_duplicate ? "" : ", all distinct");
    if (r->n_duplicate) grn_log_warn("regions: %" PRIu64 " rows repeat an interval and are left out", r->n_duplicate);
end:
    return rc;
}

grn_status grn_tally_begin(const grn_tally_input_t *in, grn_tally_t *t, const grn_args_t *args)
{
    if (in->rename.n && in->rename.n != (size_t)args->n)
        return grn_err(GRN_EUSAGE, "--rename is given %zu times for %d fragment files", in->rename.n, args->n);
    t->pass.region = in->region;
    t->pass.strip_suffix = !strcmp(in->suffix, "strip");
    grn_status rc = grn_tally_barcodes(in, &t->pass);
    return rc ? rc : grn_tally_init(t, grn_common.pool);
}

grn_status grn_tally_one(const grn_tally_input_t *in, grn_tally_t *t, const grn_args_t *args, int i)
{
    grn_status rc = GRN_OK;
    grn_str_t prefix = { 0 };
    const char *suffix = "";
    GRN_TRY(grn_tally_naming(in, args->n, i, &prefix, &suffix));
    GRN_TRY(grn_prov_input(args->v[i], NULL));
    grn_progress_begin(0, "bytes of fragments");
    rc = grn_tally_file(t, args->v[i], prefix.s ? prefix.s : "", suffix, grn_common.pool);
    grn_progress_end();
end:
    grn_str_clear(&prefix);
    return rc;
}

grn_status grn_tally_no_match(const grn_fragpass_t *pass)
{
    char a[512], b[512];
    size_t n_bare = 0;
    grn_names_t bare = { 0 };
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < pass->cells.n && !rc; i++) {
        const char *s = grn_names_get(&pass->cells, i);
        rc = grn_names_add_n(&bare, s, grn_barcode_bare(s, strlen(s)), NULL, NULL);
    }
    for (size_t i = 0; i < pass->unlisted.n; i++) {
        const char *s = grn_names_get(&pass->unlisted, i);
        n_bare += grn_names_find_n(&bare, s, grn_barcode_bare(s, strlen(s))) != GRN_NAMES_NONE;
    }
    grn_names_clear(&bare);
    return grn_err(GRN_EEMPTY, "0 of %zu listed barcodes are in the fragments; listed: %s; fragments: %s%s", pass->cells.n,
                   grn_names_show(&pass->cells, 3, a, sizeof a), grn_names_show(&pass->unlisted, 3, b, sizeof b),
                   n_bare ? " (without their -1 suffix they match: give --barcode-suffix strip)" : "");
}

grn_status grn_tally_check(const grn_tally_t *t)
{
    char a[512], b[512];
    if (t->pass.renamed_chroms.n)
        grn_log_warn("chromosomes: %zu spelled differently in fragments and regions were taken for the same: %s", t->pass.renamed_chroms.n,
                     grn_names_show(&t->pass.renamed_chroms, 5, a, sizeof a));
    if (t->pass.lost_chroms.n)
        grn_log_info("chromosomes: %" PRIu64 " fragments lie on %zu without regions: %s", t->pass.n_no_chrom, t->pass.lost_chroms.n,
                     grn_names_show(&t->pass.lost_chroms, 5, a, sizeof a));
    grn_log_info("fragments: %" PRIu64 " read, %" PRIu64 " of the cells asked for, %" PRIu64 " of those in a region (%.1f%%)",
                 t->pass.n_lines, t->n_listed, t->n_in, t->n_listed ? 100.0 * (double)t->n_in / (double)t->n_listed : 0.0);
    if (!t->pass.n_lines) return grn_err(GRN_EEMPTY, "the fragment files hold no fragment");
    if (!t->n_listed) return grn_tally_no_match(&t->pass);
    if (!t->n_in && t->pass.n_no_chrom == t->pass.n_lines)
        return grn_err(GRN_EEMPTY, "no fragment is on a chromosome of the regions; fragments: %s; regions: %s",
                       grn_names_show(&t->pass.lost_chroms, 3, a, sizeof a), grn_names_show(&t->regions->chroms, 3, b, sizeof b));
    if (!t->n_in) return grn_err(GRN_EEMPTY, "no fragment of a cell overlaps a region (different genome builds?)");
    return GRN_OK;
}
