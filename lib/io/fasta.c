#include "io/fasta.h"

#include <htslib/bgzf.h>
#include <htslib/faidx.h>
#include <htslib/hts_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/text.h"

struct grn_fasta_s {
    char *path;
    faidx_t *fai;
    grn_names_t names;
    uint64_t *len;
    int unpacked, fd; /* fd of the unpacked temporary file, -1 none */
};

void grn_fasta_close(grn_fasta_t *f)
{
    if (!f) return;
    if (f->fai) fai_destroy(f->fai);
    if (f->fd >= 0) close(f->fd);
    grn_names_clear(&f->names);
    free(f->len);
    free(f->path);
    free(f);
}

const grn_names_t *grn_fasta_names(const grn_fasta_t *f)
{
    return &f->names;
}

uint64_t grn_fasta_len(const grn_fasta_t *f, size_t i)
{
    return f->len[i];
}

int grn_fasta_unpacked(const grn_fasta_t *f)
{
    return f->unpacked;
}

/* What the file is: its first bytes decide. */
static grn_status look(const char *path, int *is_gzip, int *is_bgzf, int *seekable)
{
    unsigned char head[18];
    uint64_t size;
    int fd;
    grn_status rc = grn_in_open(path, &fd, &size, seekable);
    if (rc) return rc;
    ssize_t n = *seekable ? pread(fd, head, sizeof head, 0) : 0;
    if (fd > 0) close(fd);
    if (*seekable && n == 0) return grn_err(GRN_EFORMAT, "'%s' is empty; FASTA was expected", path);
    int zstd = n >= 4 && head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd;
    *is_gzip = zstd || (n >= 2 && head[0] == 0x1f && head[1] == 0x8b);
    *is_bgzf = n == 18 && head[0] == 0x1f && head[1] == 0x8b && (head[3] & 4) && head[12] == 'B' && head[13] == 'C';
    if (n > 0 && !*is_gzip && head[0] != '>') return grn_err(GRN_EFORMAT, "'%s' is not FASTA: it does not begin with '>'", path);
    return GRN_OK;
}

/* Everything faidx cannot seek in (gzip, zstd, pipes) becomes a plain temporary file, unlinked already: the descriptor is its name. */
static grn_status unpack(grn_fasta_t *f, grn_str_t *name)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    FILE *out = NULL;
    char *line;
    size_t n;
    int got, fd = -1;
    GRN_TRY(grn_text_open(&t, f->path));
    GRN_TRY(grn_tmp_open(&f->fd));
    fd = dup(f->fd);
    if (fd < 0 || !(out = fdopen(fd, "w"))) GRN_FAIL(GRN_EIO, "cannot write a temporary file to unpack '%s'", f->path);
    fd = -1;
    while ((got = grn_text_next(t, &line, &n)) > 0) {
        line[n] = '\n';
        if (fwrite(line, 1, n + 1, out) != n + 1) GRN_FAIL(GRN_EIO, "cannot unpack '%s' to TMPDIR: disk full?", f->path);
    }
    if (got < 0) {
        rc = (grn_status)got;
        goto end;
    }
    if (fflush(out) != 0) GRN_FAIL(GRN_EIO, "cannot unpack '%s' to TMPDIR: disk full?", f->path);
    f->unpacked = 1;
    GRN_TRY(grn_str_printf(name, "/proc/self/fd/%d", f->fd));
end:
    grn_text_close(t);
    if (out) fclose(out);
    if (fd >= 0) close(fd);
    return rc;
}

/* 1 if `index` exists and is not older than the file itself. */
static int is_fresh(const char *file, const char *index)
{
    struct stat a, b;
    if (stat(file, &a) || stat(index, &b)) return 0;
    return b.st_mtim.tv_sec > a.st_mtim.tv_sec || (b.st_mtim.tv_sec == a.st_mtim.tv_sec && b.st_mtim.tv_nsec >= a.st_mtim.tv_nsec);
}

static int is_there(const char *path)
{
    return access(path, R_OK) == 0;
}

/* Builds the indexes under temporary names beside the file, then renames them into place: two runs at once do no harm. */
static int build_beside(const char *path, const char *fai, const char *gzi, int need_gzi)
{
    grn_str_t a = { 0 }, b = { 0 };
    if (grn_str_printf(&a, "%s.tmp.%ld", fai, (long)getpid()) || grn_str_printf(&b, "%s.tmp.%ld", gzi, (long)getpid())) {
        grn_str_clear(&a);
        grn_str_clear(&b);
        return 0;
    }
    size_t slot[2] = { grn_pending_add(a.s), grn_pending_add(b.s) };
    int ok = fai_build3(path, a.s, need_gzi ? b.s : NULL) == 0 && (!need_gzi || rename(b.s, gzi) == 0) && rename(a.s, fai) == 0;
    if (!ok) unlink(a.s);
    if (!ok) unlink(b.s);
    grn_pending_drop(slot[0]);
    grn_pending_drop(slot[1]);
    grn_str_clear(&a);
    grn_str_clear(&b);
    return ok;
}

/* Loads through indexes in unlinked temporary files, which are gone with their descriptors. */
static grn_status load_through_tmp(grn_fasta_t *f, const char *path, int need_gzi)
{
    grn_status rc = GRN_OK;
    int fd[2] = { -1, -1 };
    char fai[64], gzi[64];
    GRN_TRY(grn_tmp_open(&fd[0]));
    GRN_TRY(grn_tmp_open(&fd[1]));
    snprintf(fai, sizeof fai, "/proc/self/fd/%d", fd[0]);
    snprintf(gzi, sizeof gzi, "/proc/self/fd/%d", fd[1]);
    if (fai_build3(path, fai, need_gzi ? gzi : NULL) != 0)
        GRN_FAIL(GRN_EFORMAT, "'%s' cannot be indexed as FASTA (lines of unequal length within a sequence, no '>', or a short file)",
                 f->path);
    f->fai = fai_load3(path, fai, need_gzi ? gzi : NULL, 0);
    if (!f->fai) GRN_FAIL(GRN_EIO, "cannot load the index of '%s'", f->path);
end:
    for (int i = 0; i < 2; i++)
        if (fd[i] >= 0) close(fd[i]);
    return rc;
}

/* A bgzip file that was cut between two blocks lacks its end-of-file block. */
static grn_status check_whole(const char *path)
{
    BGZF *b = bgzf_open(path, "r");
    int whole = b ? bgzf_check_EOF(b) : -1;
    if (b) (void)bgzf_close(b);
    if (whole == 1) return GRN_OK;
    return grn_err(GRN_ETRUNC, "'%s' is truncated: its bgzf end-of-file block is missing", path);
}

static grn_status load_indexed(grn_fasta_t *f, int is_bgzf)
{
    grn_status rc = GRN_OK;
    grn_str_t fai = { 0 }, gzi = { 0 };
    if (is_bgzf) GRN_TRY(check_whole(f->path));
    GRN_TRY(grn_str_printf(&fai, "%s.fai", f->path));
    GRN_TRY(grn_str_printf(&gzi, "%s.gzi", f->path));
    int fresh = is_fresh(f->path, fai.s) && (!is_bgzf || is_there(gzi.s));
    if (fresh || build_beside(f->path, fai.s, gzi.s, is_bgzf)) {
        f->fai = fai_load3(f->path, fai.s, is_bgzf ? gzi.s : NULL, 0);
        if (!f->fai) GRN_FAIL(GRN_EFORMAT, "cannot load the index '%s' (remove it and it is built again)", fai.s);
    } else {
        GRN_TRY(load_through_tmp(f, f->path, is_bgzf));
    }
end:
    grn_str_clear(&fai);
    grn_str_clear(&gzi);
    return rc;
}

static grn_status read_names(grn_fasta_t *f)
{
    grn_status rc = GRN_OK;
    int n = faidx_nseq(f->fai), is_new;
    if (n <= 0) GRN_FAIL(GRN_EFORMAT, "'%s' holds no sequence", f->path);
    GRN_TRY(GRN_NEW(f->len, (size_t)n));
    for (int i = 0; i < n; i++) {
        const char *name = faidx_iseq(f->fai, i);
        GRN_TRY(grn_names_add(&f->names, name, NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EFORMAT, "'%s' holds the sequence '%s' twice", f->path, name);
        f->len[i] = (uint64_t)faidx_seq_len(f->fai, name);
    }
end:
    return rc;
}

grn_status grn_fasta_open(grn_fasta_t **out, const char *path)
{
    grn_status rc = GRN_OK;
    grn_fasta_t *f = NULL;
    grn_str_t plain = { 0 };
    int is_gzip = 0, is_bgzf = 0, seekable = 1;
    *out = NULL;
    hts_set_log_level(HTS_LOG_OFF);
    GRN_TRY(GRN_NEW(f, 1));
    f->fd = -1;
    GRN_TRY(GRN_NEW_RAW(f->path, strlen(path) + 1));
    memcpy(f->path, path, strlen(path) + 1);
    if (!strcmp(path, "-")) seekable = 0;
    else GRN_TRY(look(path, &is_gzip, &is_bgzf, &seekable));
    if (!seekable || (is_gzip && !is_bgzf)) {
        GRN_TRY(unpack(f, &plain));
        GRN_TRY(load_through_tmp(f, plain.s, 0));
    } else {
        GRN_TRY(load_indexed(f, is_bgzf));
    }
    GRN_TRY(read_names(f));
    *out = f;
    f = NULL;
end:
    grn_str_clear(&plain);
    grn_fasta_close(f);
    return rc;
}

static const uint8_t base_code[256] = { /* + 1; 0 = anything else */
    ['A'] = 1, ['C'] = 2, ['G'] = 3, ['T'] = 4, ['U'] = 4, ['a'] = 1 | 8, ['c'] = 2 | 8, ['g'] = 3 | 8, ['t'] = 4 | 8, ['u'] = 4 | 8,
};

grn_status grn_fasta_fetch(grn_fasta_t *f, size_t i, uint64_t start, uint64_t end, int mask, uint8_t *out)
{
    const char *name = grn_names_get(&f->names, i);
    if (end > f->len[i] || start > end)
        return grn_err(GRN_EINVAL, "'%s': %s:%llu-%llu is beyond the end (%llu bases)", f->path, name, (unsigned long long)start,
                       (unsigned long long)end, (unsigned long long)f->len[i]);
    if (start == end) return GRN_OK;
    hts_pos_t n = 0;
    char *s = faidx_fetch_seq64(f->fai, name, (hts_pos_t)start, (hts_pos_t)end - 1, &n);
    if (!s || n != (hts_pos_t)(end - start)) {
        free(s);
        return grn_err(GRN_ETRUNC, "'%s': cannot read %s:%llu-%llu; the file is shorter than its index says", f->path, name,
                       (unsigned long long)start, (unsigned long long)end);
    }
    for (uint64_t k = 0; k < end - start; k++) {
        uint8_t c = base_code[(unsigned char)s[k]];
        out[k] = c == 0 || (mask && (c & 8)) ? 4 : (uint8_t)((c & 7) - 1);
    }
    free(s);
    return GRN_OK;
}
