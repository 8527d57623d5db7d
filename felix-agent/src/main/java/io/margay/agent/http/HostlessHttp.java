package io.margay.agent.http;

import org.eclipse.jetty.http.HostPortHttpField;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.internal.HttpConnection;

/// HTTP for clients of a Unix socket that know no host: Docker up to 23 sends an empty `Host`,
/// which RFC 9112 §3.2 allows ("must send a Host header field with an empty field-value") and Jetty
/// answers with 400.
final class HostlessHttp extends HttpConnectionFactory {

  private static final HttpField LOCALHOST = new HostPortHttpField("localhost");

  HostlessHttp(HttpConfiguration configuration) {
    super(configuration);
  }

  @Override
  public Connection newConnection(Connector connector, EndPoint endPoint) {
    HttpConnection connection =
        new HttpConnection(getHttpConfiguration(), connector, endPoint) {
          @Override
          protected RequestHandler newRequestHandler() {
            return new RequestHandler() {
              @Override
              public void parsedHeader(HttpField field) {
                boolean isEmptyHost =
                    field.getHeader() == HttpHeader.HOST
                        && (field.getValue() == null || field.getValue().isBlank());
                super.parsedHeader(isEmptyHost ? LOCALHOST : field);
              }
            };
          }
        };
    return configure(connection, connector, endPoint);
  }
}
