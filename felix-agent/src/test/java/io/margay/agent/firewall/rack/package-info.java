/// **For**: policies against real packets: a rack of namespaces, packets made octet by octet, and
/// who of all ends received which.
///
/// **In → out**: documents as people write them → which packets pass, beside what the oracle says.
///
/// **Loop**: the test's own thread.
///
/// **May touch**: network namespaces it made itself.
@NullMarked
package io.margay.agent.firewall.rack;

import org.jspecify.annotations.NullMarked;
