/* What the client itself has to know of the network configuration. */
#ifndef MARGAY_CONF_H
#define MARGAY_CONF_H

#include <stdbool.h>
#include <stddef.h>

/* A string as it stands in the document, between its quotes, escapes untouched; is_string is false for other values. */
struct text {
  const char *start;
  size_t length;
  bool seen, is_string;
};

/* Values of cniVersion, name and margayRunDir at the top level: keys match without regard to case, the last one wins. */
extern struct text conf_version, conf_name, conf_run_dir;

/* Whether the octets are one JSON object and nothing else. Fills the values above, which point into data. */
bool conf_scan(const char *data, size_t length);

#endif
