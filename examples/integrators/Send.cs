// Two statements about one document, with what .NET brings.
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

static object Event(string step, string time, string day) => new
{
    specversion = "1.0",
    id = $"handling/1205/{step}/1", // the register's key and the row's version
    source = "/office/so-y-te",
    agency = "so-y-te",
    type = "vn.tiendo.document.handled.v1",
    time,
    data = new { agency = "so-y-te", id = "1205", step, day },
};

var body = JsonSerializer.Serialize(new[]
{
    Event("entered", "2008-09-29T16:40:00+07:00", "2008-09-29"),
    Event("adopted", "2008-09-30T09:10:00+07:00", "2008-09-30"),
});
using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
client.DefaultRequestHeaders.Authorization =
    new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable("TIENDO_TOKEN"));
var address = Environment.GetEnvironmentVariable("TIENDO_GATEWAY") + "/v1/events";

for (var attempt = 1; attempt <= 8; attempt++)
{
    using var content = new StringContent(body, Encoding.UTF8);
    content.Headers.ContentType = new MediaTypeHeaderValue("application/cloudevents-batch+json");
    using var answer = await client.PostAsync(address, content);
    if (answer.StatusCode != HttpStatusCode.TooManyRequests && answer.StatusCode != HttpStatusCode.ServiceUnavailable)
    {
        Console.WriteLine(await answer.Content.ReadAsStringAsync()); // what was refused is told in it, event by event
        return answer.StatusCode == HttpStatusCode.Accepted ? 0 : 1;
    }
    await Task.Delay(answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(2));
}
Console.Error.WriteLine("the gateway is away; nothing was accepted, send all of it again later");
return 1;
