package io.margay.agent.http;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/// `/api/v1` and `/healthcheck`: the agent's state as JSON.
@Path("/")
@Produces(MediaType.APPLICATION_JSON)
public final class StateResource {

  private final AgentViews views;

  StateResource(AgentViews views) {
    this.views = views;
  }

  /// 200 when every part is ready, else 503; the body names each part.
  @GET
  @Path("healthcheck")
  public Response health() {
    SortedMap<String, AgentViews.Reporter> reporters = views.health();
    boolean ready = reporters.values().stream().allMatch(AgentViews.Reporter::ready);
    return Response.status(ready ? 200 : 503).entity(reporters).build();
  }

  /// The same, for probes that look at the status alone.
  @GET
  @Path("api/v1/ready")
  public Response ready() {
    return health();
  }

  @GET
  @Path("api/v1/status")
  public Map<String, Object> status() {
    return views.status();
  }

  /// 503 while the kernel's rules can't be read.
  @GET
  @Path("api/v1/policy/counters")
  public Response policyCounters() {
    try {
      return Response.ok(views.policyCounters()).build();
    } catch (IOException unread) {
      return Response.status(503)
          .entity(Map.of("error", String.valueOf(unread.getMessage())))
          .build();
    }
  }

  @GET
  @Path("api/v1/bgp/{what: .*}")
  public Response bgp(@Context UriInfo uri) {
    String query = uri.getRequestUri().getRawQuery();
    Answer answer =
        views.bgp(uri.getRequestUri().getRawPath() + (query == null ? "" : "?" + query));
    StreamingOutput body = out -> answer.body().writeTo(out);
    return Response.status(answer.status()).type(answer.contentType()).entity(body).build();
  }

  @GET
  @Path("api/v1/endpoints")
  public List<Map<String, Object>> endpoints() {
    return views.endpoints();
  }
}
