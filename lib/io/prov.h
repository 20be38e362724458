/* Provenance: what a run read, and the chain of how those files were made (as SAM @PG lines do).
 *
 * Readers register every input file once; grn_cw_open writes `inputs` (name + XXH3-128) and `chain`
 * (a JSON list of
 * {"id","pn","vn","cl","pp"} as @PG) into the metadata of what is written. --no-pg omits command
 * and chain. Text outputs get the same as leading "#PG" lines through grn_prov_text. Not thread
 * safe (called from the main thread). */
#ifndef GRN_IO_PROV_H
#define GRN_IO_PROV_H

#include "base/err.h"
#include "base/file.h"

/* Registers an input; `chain_json` is its own chain or NULL. The digest is taken lazily (files:
 * when the first output is opened; pipes: "-"). */
grn_status grn_prov_input(const char *path, const char *chain_json) GRN_MUST_USE;
/* The digest of an input, from who has read all of it anyway. Inputs that are not registered: nothing. */
void grn_prov_digest(const char *path, const char hex[33]);
/* Takes an input back: a checkpoint of the very run that goes on. */
void grn_prov_drop(const char *path);
/* JSON texts for the metadata, malloc'ed. */
grn_status grn_prov_inputs_json(char **out) GRN_MUST_USE;
grn_status grn_prov_chain_json(char **out) GRN_MUST_USE;
/* "#PG\tID:..\tPN:..\tVN:..\tCL:..\tPP:..\n" lines of the chain, unless --no-pg. */
grn_status grn_prov_text(grn_out_t *o) GRN_MUST_USE;

/* A copy of s, malloc'ed, with every byte that is not part of valid UTF-8 replaced by '?': command
 * lines and paths may hold anything, JSON may not. */
grn_status grn_utf8(const char *s, char **out) GRN_MUST_USE;

#endif
