import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** Two statements about one document, with what the JDK brings. */
public class Send {
    static String event(String step, String time, String day) {
        String id = "handling/1205/" + step + "/1"; // the register's key and the row's version
        return "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/office/so-y-te\",\"agency\":\"so-y-te\","
            + "\"type\":\"vn.tiendo.document.handled.v1\",\"time\":\"" + time + "\","
            + "\"data\":{\"agency\":\"so-y-te\",\"id\":\"1205\",\"step\":\"" + step + "\",\"day\":\"" + day + "\"}}";
    }

    public static void main(String[] arguments) throws Exception {
        String body = "[" + event("entered", "2008-09-29T16:40:00+07:00", "2008-09-29") + ","
            + event("adopted", "2008-09-30T09:10:00+07:00", "2008-09-30") + "]";
        HttpRequest request = HttpRequest.newBuilder(URI.create(System.getenv("TIENDO_GATEWAY") + "/v1/events"))
            .timeout(Duration.ofSeconds(60))
            .header("Authorization", "Bearer " + System.getenv("TIENDO_TOKEN"))
            .header("Content-Type", "application/cloudevents-batch+json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
        for (int attempt = 1; attempt <= 8; attempt++) {
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 429 && answer.statusCode() != 503) {
                System.out.println(answer.body()); // what was refused is told in it, event by event
                System.exit(answer.statusCode() == 202 ? 0 : 1);
            }
            Thread.sleep(1000L * Integer.parseInt(answer.headers().firstValue("Retry-After").orElse("2")));
        }
        System.err.println("the gateway is away; nothing was accepted, send all of it again later");
        System.exit(1);
    }
}
