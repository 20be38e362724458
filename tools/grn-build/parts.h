/* Finished blocks of a long run, kept in the folder OUTPUT.parts for --resume; the file of a block is named by a hash of all that it
 * depends on, so one that is there is the right one. Also --shard I/N. */
#ifndef GRN_BUILD_PARTS_H
#define GRN_BUILD_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* A hash of h and n bytes. */
uint64_t grn_parts_mix(uint64_t h, const void *p, size_t n);
uint64_t grn_parts_mix_name(uint64_t h, const char *name);

/* "OUTPUT.parts/HASH" + suffix into path; makes the folder. */
grn_status grn_parts_path(const char *output, uint64_t hash, const char *suffix, grn_str_t *path) GRN_MUST_USE;
/* Removes the parts (files that end in .zst) and the folder, unless something else is in it. */
void grn_parts_remove(const char *output);

/* "I/N" of --shard. GRN_EUSAGE unless 1 <= I <= N. */
grn_status grn_parts_shard(const char *text, uint64_t *i, uint64_t *n) GRN_MUST_USE;

#endif
