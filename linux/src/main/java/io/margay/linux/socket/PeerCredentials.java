package io.margay.linux.socket;

/// Who opened the other end of a connection, as the kernel noted it then (SO_PEERCRED, unix(7)).
///
/// @param processId in the reader's pid namespace; 0 when not visible there
/// @param userId effective user id; 0 is root
/// @param groupId effective group id
public record PeerCredentials(int processId, int userId, int groupId) {}
