package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.BeanProperty;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.ContextualDeserializer;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.AddressOnLink;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.PeerAddress;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.selector.Selector;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// How the one-word values of the model look in JSON.
final class LeafModule extends SimpleModule {

  /// Doubles up to here that are whole are written without a fraction, as Go writes them.
  private static final double MAX_WHOLE = 1e15;

  private static final IpAddress STAND_IN_ADDRESS = new Ipv4Address(0);
  private static final Prefix STAND_IN_PREFIX = STAND_IN_ADDRESS.toHostPrefix();

  LeafModule() {
    addDeserializer(String.class, Scalar.TEXT);
    addDeserializer(Boolean.class, Scalar.FLAG);
    addDeserializer(Integer.class, Scalar.INTEGER);
    addDeserializer(Long.class, Scalar.LONG);
    addDeserializer(Double.class, Scalar.DOUBLE);
    text(IpAddress.class, IpAddress::parse, STAND_IN_ADDRESS);
    text(AddressOnLink.class, AddressOnLink::parse, new AddressOnLink(STAND_IN_ADDRESS, 32));
    text(PeerAddress.class, PeerAddress::parse, new PeerAddress(STAND_IN_ADDRESS, null));
    text(MacAddress.class, MacAddress::parse, MacAddress.parse("00:00:00:00:00:00"));
    text(InterfaceName.class, InterfaceName::new, new InterfaceName("x"));
    text(Selector.class, Selector::parse, Selector.ALL);
    text(Instant.class, LeafModule::instant, Instant.EPOCH);
    addDeserializer(Prefix.class, new PrefixLeaf());
    addSerializer(Prefix.class, ToStringSerializer.instance);
    addDeserializer(
        Duration.class, new Leaf<>(Duration.class, GoDuration::parse, Duration.ZERO, false));
    addSerializer(
        Duration.class,
        writing(Duration.class, (value, json) -> json.writeString(GoDuration.format(value))));
    addDeserializer(Asn.class, new Leaf<>(Asn.class, Asn::parse, new Asn(0), true));
    addSerializer(Asn.class, writing(Asn.class, (value, json) -> json.writeNumber(value.toLong())));
    addDeserializer(Port.class, new Leaf<>(Port.class, Port::parse, new Port.Single(0), true));
    addSerializer(Port.class, writing(Port.class, LeafModule::write));
    addDeserializer(
        Protocol.class, new Leaf<>(Protocol.class, Protocol::parse, Protocol.Named.TCP, true));
    addSerializer(Protocol.class, writing(Protocol.class, LeafModule::write));
    addSerializer(Double.class, writing(Double.class, LeafModule::write));
  }

  private <T> void text(Class<T> type, Function<String, T> parser, T standIn) {
    addDeserializer(type, new Leaf<>(type, parser, standIn, false));
    addSerializer(type, ToStringSerializer.instance);
  }

  private static Instant instant(String text) {
    Instant usual = UtcSeconds.parse(text);
    if (usual != null) {
      return usual;
    }
    try {
      return OffsetDateTime.parse(text).toInstant();
    } catch (DateTimeException wrong) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not a time such as 2026-01-31T12:00:00Z", wrong);
    }
  }

  private static void write(Port port, JsonGenerator json) throws IOException {
    switch (port) {
      case Port.Single(int number) -> json.writeNumber(number);
      case Port.Range range -> json.writeString(range.toString());
      case Port.Named(String name) -> json.writeString(name);
    }
  }

  private static void write(Protocol protocol, JsonGenerator json) throws IOException {
    switch (protocol) {
      case Protocol.Numbered(int number) -> json.writeNumber(number);
      case Protocol.Named(String name) -> json.writeString(name);
    }
  }

  private static void write(Double value, JsonGenerator json) throws IOException {
    if (value % 1 == 0 && Math.abs(value) < MAX_WHOLE) {
      json.writeNumber(value.longValue());
    } else {
      json.writeNumber(value);
    }
  }

  private interface Writer<T> {
    void write(T value, JsonGenerator json) throws IOException;
  }

  private static <T> StdSerializer<T> writing(Class<T> type, Writer<T> writer) {
    return new StdSerializer<>(type) {
      @Override
      public void serialize(T value, JsonGenerator json, SerializerProvider provider)
          throws IOException {
        writer.write(value, json);
      }
    };
  }

  /// A pool's prefix must be exact; elsewhere Calico takes bare addresses and clears host bits.
  private static final class PrefixLeaf extends StdScalarDeserializer<Prefix>
      implements ContextualDeserializer {

    private static final Leaf<Prefix> LENIENT =
        new Leaf<>(Prefix.class, Prefix::parseLenient, STAND_IN_PREFIX, false);
    private static final Leaf<Prefix> EXACT =
        new Leaf<>(Prefix.class, Prefix::parse, STAND_IN_PREFIX, false);

    PrefixLeaf() {
      super(Prefix.class);
    }

    @Override
    public JsonDeserializer<?> createContextual(
        DeserializationContext context, @Nullable BeanProperty property) {
      boolean exact =
          property != null
              && property.getMember() != null
              && property.getMember().getDeclaringClass() == IPPoolSpec.class;
      return exact ? EXACT : LENIENT;
    }

    @Override
    public Prefix deserialize(JsonParser json, DeserializationContext context) throws IOException {
      return LENIENT.deserialize(json, context);
    }
  }
}
