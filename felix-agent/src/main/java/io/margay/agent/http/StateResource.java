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
import java.util.function.Predicate;

/// `/api/v1`, `/healthcheck`, `/readiness` and `/liveness`: the agent's state as JSON.
@Path("/")
@Produces(MediaType.APPLICATION_JSON)
public final class StateResource {

  private final AgentViews views;

  StateResource(AgentViews views) {
    this.views = views;
  }

  /// 200 when every part lives and is ready, else 503; the body names each part.
  @GET
  @Path("healthcheck")
  public Response health() {
    return health(reporter -> reporter.live() && reporter.ready());
  }

  /// The same, by the name that probes of Calico's agent ask for.
  @GET
  @Path("readiness")
  public Response readiness() {
    return health();
  }

  /// The same, for probes that look at the status alone.
  @GET
  @Path("api/v1/ready")
  public Response ready() {
    return health();
  }

  /// 200 when no part needs a restart of the agent, else 503; the body names each part.
  @GET
  @Path("liveness")
  public Response liveness() {
    return health(AgentViews.Reporter::live);
  }

  private Response health(Predicate<AgentViews.Reporter> wanted) {
    SortedMap<String, AgentViews.Reporter> reporters = views.health();
    boolean isWell = reporters.values().stream().allMatch(wanted);
    return Response.status(isWell ? 200 : 503).entity(reporters).build();
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
