# Two statements about one document, with Windows PowerShell 5.1 or PowerShell 7.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

function New-Event([string] $Step, [string] $Time, [string] $Day) {
    [ordered]@{
        specversion = '1.0'
        id          = "handling/1205/$Step/1"   # the register's key and the row's version
        source      = '/office/so-y-te'
        agency      = 'so-y-te'
        type        = 'vn.tiendo.document.handled.v1'
        time        = $Time
        data        = [ordered]@{ agency = 'so-y-te'; id = '1205'; step = $Step; day = $Day }
    }
}

$events = @(
    (New-Event 'entered' '2008-09-29T16:40:00+07:00' '2008-09-29'),
    (New-Event 'adopted' '2008-09-30T09:10:00+07:00' '2008-09-30')
)
# As bytes: PowerShell 5.1 would send a text in another encoding than UTF-8.
$body = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject $events -Depth 5 -Compress))
$headers = @{ Authorization = "Bearer $env:TIENDO_TOKEN" }

foreach ($attempt in 1..8) {
    try {
        $answer = Invoke-WebRequest -UseBasicParsing -Method Post -Uri "$env:TIENDO_GATEWAY/v1/events" -Headers $headers `
            -ContentType 'application/cloudevents-batch+json' -Body $body -TimeoutSec 60
        # 202: all accepted; 207: some, and the answer says which were refused and why.
        Write-Output ([Text.Encoding]::UTF8.GetString($answer.RawContentStream.ToArray()))
        exit [int]($answer.StatusCode -ne 202)
    } catch {
        $response = $_.Exception.Response
        if ($null -eq $response) { throw }   # no connection: the address, or the gateway is away
        $code = [int]$response.StatusCode
        if ($code -ne 429 -and $code -ne 503) {
            if ($_.ErrorDetails) { Write-Output $_.ErrorDetails.Message }
            Write-Error "the gateway answered $code" -ErrorAction Continue
            exit 1
        }
        Start-Sleep -Seconds 2
    }
}
Write-Error 'the gateway is away; nothing was accepted, send all of it again later' -ErrorAction Continue
exit 1
