import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.ErrorReportValve;

/**
 * The endpoint as a servlet in Tomcat with Jackson. Refuses the whole request where the schema is broken; rejects an
 * item whose account or classifier is not registered.
 */
public final class Main extends HttpServlet {
    public record Item(
            String communicationNumber, String requester, String accountExtId, String balanceAt,
            BigDecimal value, BigDecimal equivalentValue, String balanceType, String businessUnit) {}

    public record Batch(List<Item> accountBalances) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Result(
            String resultType, String communicationNumber, String accountExtId, String businessUnit,
            String errorCode, String errorDescription, long timeElapsedMs) {}

    public record Answer(List<Result> results, long timeElapsedMs) {}

    private record Reason(String code, String description) {}

    private static final class Invalid extends Exception {
        Invalid(String message) {
            super(message);
        }
    }

    private final ObjectMapper json = new ObjectMapper()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private final byte[] token = System.getenv("BATCHPROOF_TOKEN").getBytes(StandardCharsets.UTF_8);
    private final Set<String> used = ConcurrentHashMap.newKeySet();
    private final Set<String> accounts;
    private final Set<String> balanceTypes;
    private final Set<String> businessUnits;

    private Main(File registered) throws IOException {
        JsonNode known = json.readTree(registered);
        accounts = names(known.get("accountExtId"));
        balanceTypes = names(known.get("balanceType"));
        businessUnits = names(known.get("businessUnit"));
    }

    private static Set<String> names(JsonNode list) {
        Set<String> names = new HashSet<>();
        list.forEach(name -> names.add(name.asText()));
        return names;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
            throws IOException, ServletException {
        String header = request.getHeader("Authorization");
        boolean bearer = header != null && header.regionMatches(true, 0, "Bearer ", 0, 7);
        if (!bearer || !MessageDigest.isEqual(header.substring(7).strip().getBytes(StandardCharsets.UTF_8), token)) {
            response.setHeader("WWW-Authenticate", "Bearer");
            write(response, 401, Map.of("error", Map.of("code", "unauthorized")));
            return;
        }
        super.service(request, response);
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        long began = System.nanoTime();
        List<Item> items;
        try {
            items = read(request.getInputStream().readAllBytes());
        } catch (Invalid invalid) {
            write(response, 400, Map.of(
                    "resultType", "REQUEST_REJECTED", "errorCode", "O001", "errorDescription", invalid.getMessage()));
            return;
        }
        List<Result> results = new ArrayList<>(items.size());
        for (Item item : items) {
            long since = System.nanoTime();
            Reason reason = register(item);
            results.add(new Result(
                    reason == null ? "REQUEST_ACCEPTED" : "REQUEST_REJECTED",
                    item.communicationNumber, item.accountExtId, item.businessUnit,
                    reason == null ? null : reason.code, reason == null ? null : reason.description,
                    millis(since)));
        }
        write(response, 200, new Answer(results, millis(began)));
    }

    private List<Item> read(byte[] body) throws IOException, Invalid {
        Batch batch;
        try {
            batch = json.readValue(body, Batch.class);
        } catch (IOException notOurs) { // no I/O: the bytes are here
            throw new Invalid("the body does not fit the schema");
        }
        if (batch == null || batch.accountBalances == null) {
            throw new Invalid("accountBalances is mandatory");
        }
        for (Item item : batch.accountBalances) {
            validate(item);
        }
        return batch.accountBalances;
    }

    private static void validate(Item item) throws Invalid {
        if (item == null) {
            throw new Invalid("an item must be an object");
        }
        mandatory("communicationNumber", item.communicationNumber);
        mandatory("requester", item.requester);
        mandatory("accountExtId", item.accountExtId);
        mandatory("balanceAt", item.balanceAt);
        mandatory("value", item.value);
        atMost("communicationNumber", item.communicationNumber, 255);
        atMost("requester", item.requester, 100);
        try {
            OffsetDateTime.parse(item.balanceAt);
        } catch (DateTimeException wrong) {
            throw new Invalid("balanceAt is not an RFC 3339 date-time");
        }
    }

    private static void mandatory(String name, Object value) throws Invalid {
        if (value == null || value.equals("")) {
            throw new Invalid(name + " is mandatory");
        }
    }

    private static void atMost(String name, String value, int length) throws Invalid {
        if (value.codePointCount(0, value.length()) > length) {
            throw new Invalid(name + " is longer than " + length);
        }
    }

    /** Why an item is rejected; null if it was accepted. Only an accepted item uses its number up. */
    private Reason register(Item item) {
        if (!accounts.contains(item.accountExtId)) {
            return new Reason("A001", "Account does not exist");
        }
        if (item.businessUnit != null && !businessUnits.contains(item.businessUnit)) {
            return new Reason("A002", "Tenant business unit does not exist");
        }
        if (item.balanceType != null && !balanceTypes.contains(item.balanceType)) {
            return new Reason("A003", "Balance type does not exist");
        }
        if (!used.add(item.communicationNumber)) {
            return new Reason("O005", "CommunicationNumber already used in AMLYZE");
        }
        return null;
    }

    private static long millis(long since) {
        return (System.nanoTime() - since) / 1_000_000;
    }

    private void write(HttpServletResponse response, int status, Object body) throws IOException {
        byte[] bytes = json.writeValueAsBytes(body);
        response.setStatus(status);
        response.setContentType("application/json");
        response.setContentLength(bytes.length);
        response.getOutputStream().write(bytes);
    }

    public static void main(String[] arguments) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(System.getenv("SCRATCH"));
        tomcat.setHostname("localhost");
        tomcat.setPort(Integer.parseInt(System.getenv("PORT")));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        // Longer than a gateway keeps an idle connection.
        tomcat.getConnector().setProperty("keepAliveTimeout", "75000");
        // The default error page shows a stack trace.
        ErrorReportValve errors = new ErrorReportValve();
        errors.setShowReport(false);
        errors.setShowServerInfo(false);
        tomcat.getHost().getPipeline().addValve(errors);
        Context context = tomcat.addContext("", System.getenv("SCRATCH"));
        Tomcat.addServlet(context, "balances", new Main(new File(arguments[0])));
        context.addServletMappingDecoded("/amlyze-ws-rest/batch-account-balances", "balances");
        tomcat.start();
        tomcat.getServer().await();
    }
}
