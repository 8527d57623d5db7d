package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.EndpointSlice;
import io.margay.model.resource.EndpointSlice.ServicePort;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointSliceDocumentsTest {

  private static final ResourceRef REF = new ResourceRef(Kind.ENDPOINT_SLICE, "shop", "db-x1");

  private static Decoded decode(String fields) {
    return EndpointSliceDocuments.decode(
        REF,
        "{\"apiVersion\":\"discovery.k8s.io/v1\",\"kind\":\"EndpointSlice\",\"metadata\":{\"name\":"
            + "\"db-x1\",\"namespace\":\"shop\",\"labels\":{\"kubernetes.io/service-name\":\"db\"}},"
            + fields
            + "}");
  }

  private static Decoded.Valid slice(List<String> addresses, ServicePort... ports) {
    return new Decoded.Valid(
        new EndpointSlice(
            Metadata.named("shop", "db-x1"),
            "db",
            addresses.stream().map(IpAddress::parse).toList(),
            List.of(ports)));
  }

  @Test
  void a_key_names_a_slice() {
    assertThat(EndpointSliceDocuments.key(REF)).isEqualTo("/margay/v1/endpointslices/shop/db-x1");
    assertThat(EndpointSliceDocuments.parseKey(EndpointSliceDocuments.key(REF))).contains(REF);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/margay/v1/endpointslices/",
        "/margay/v1/endpointslices/shop/",
        "/margay/v1/endpointslices//a",
        "/margay/v1/endpointslices/a/b/c",
        "/margay/v1/pods/shop/a"
      })
  void other_keys_name_none(String key) {
    assertThat(EndpointSliceDocuments.parseKey(key)).isEmpty();
  }

  @Test
  void all_endpoints_count_and_a_port_without_a_protocol_is_tcps() {
    assertThat(
            decode(
                """
                "addressType":"IPv4","endpoints":[
                  {"addresses":["10.0.0.7"],"conditions":{"ready":false,"terminating":true}},
                  {"addresses":["10.0.0.8","10.0.0.7"],"zone":"z"}],
                "ports":[{"port":80},{"port":53,"protocol":"UDP","appProtocol":"dns"}]
                """))
        .isEqualTo(
            slice(
                List.of("10.0.0.7", "10.0.0.8"), new ServicePort(6, 80), new ServicePort(17, 53)));
  }

  @Test
  void names_are_no_addresses_and_a_port_without_a_number_is_none() {
    assertThat(
            decode(
                """
                "addressType":"FQDN","endpoints":[{"addresses":["db.example.org"]}],
                "ports":[{"name":"any"}]
                """))
        .isEqualTo(slice(List.of()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "\"endpoints\":[]|addressType is required",
        "\"addressType\":\"IPv5\"|\"IPv5\" is not IPv4, IPv6 or FQDN",
        "\"addressType\":\"IPv6\",\"endpoints\":[{\"addresses\":[\"10.0.0.7\"]}]"
            + "|10.0.0.7 is not of addressType IPv6",
        "\"addressType\":\"IPv4\",\"ports\":[{\"port\":0}]|0 is not in 1..65535",
        "\"addressType\":\"IPv4\",\"ports\":[{\"port\":1,\"protocol\":\"ICMP\"}]"
            + "|ICMP is not TCP, UDP or SCTP"
      })
  void what_the_api_server_would_refuse_is_unreadable(String fields, String problem) {
    assertThat(decode(fields))
        .isInstanceOfSatisfying(
            Decoded.Invalid.class,
            invalid ->
                assertThat(invalid.errors().stream().map(FieldError::toString))
                    .anyMatch(error -> error.contains(problem)));
  }
}
