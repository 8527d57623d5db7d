package io.margay.cli.calico;

/// One thing that would differ.
///
/// @param row what it is, what it means, what to do
/// @param object the resource or key it is about
/// @param detail what exactly, in the words of the part that knows; may be empty
record Finding(Support row, String object, String detail) {}
