/// Clusters of processes that find each other by Redis, as machines do.
module Curvature.Tests.Orleans.Machines

open System
open System.IO
open System.Net
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates
open Expecto
open Microsoft.Extensions.Hosting
open Orleans.Hosting
open Curvature

/// Where a silo of a test lives, as the arguments of a process.
type Place =
    {
        Address: string
        Redis: string
        Cluster: string
        Secret: string
        /// The folder of certificates, or nothing.
        Certificates: string
        Silence: float
    }

    member place.Arguments =
        [
            place.Address
            place.Redis
            place.Cluster
            place.Secret
            place.Certificates
            string place.Silence
        ]

    static member Parse(arguments: string list) =
        match arguments with
        | [ address; redis; cluster; secret; certificates; silence ] ->
            {
                Address = address
                Redis = redis
                Cluster = cluster
                Secret = secret
                Certificates = certificates
                Silence = float silence
            }
        | _ -> failwith $"these are no arguments of a place: {arguments}"

/// Writes the certificates of an authority and of a silo that it signed into a folder.
let writeCertificates (folder: string) =
    let from, until = DateTimeOffset.UtcNow.AddDays -1.0, DateTimeOffset.UtcNow.AddDays 10.0
    use authorityKey = ECDsa.Create ECCurve.NamedCurves.nistP256
    let request = CertificateRequest("CN=authority", authorityKey, HashAlgorithmName.SHA256)
    request.CertificateExtensions.Add(X509BasicConstraintsExtension(true, false, 0, true))
    use authority = request.CreateSelfSigned(from, until)
    use siloKey = ECDsa.Create ECCurve.NamedCurves.nistP256
    let request = CertificateRequest("CN=silo", siloKey, HashAlgorithmName.SHA256)
    use silo = request.Create(authority, from, until, RandomNumberGenerator.GetBytes 8)
    use both = silo.CopyWithPrivateKey siloKey
    File.WriteAllBytes(Path.Combine(folder, "silo.pfx"), both.Export X509ContentType.Pfx)
    File.WriteAllText(Path.Combine(folder, "authority.pem"), authority.ExportCertificatePem())

let certificates (folder: string) =
    let load name = Path.Combine(folder, name)

    X509CertificateLoader.LoadPkcs12FromFile(load "silo.pfx", null),
    X509CertificateLoader.LoadCertificateFromFile(load "authority.pem")

let options (place: Place) (log: string -> unit) =
    let withRedis (silo: ISiloBuilder) = silo.UseRedisClustering place.Redis |> ignore

    let options =
        OrleansOptions.Default
            .WithClusterName(place.Cluster)
            .WithEndpoint(IPAddress.Parse place.Address, 0)
            .WithSecret(place.Secret)
            .WithClustering(withRedis)
            .WithSilenceTimeout(TimeSpan.FromSeconds(place.Silence))
            .WithLog(log)

    if place.Certificates = "-" then
        options.WithStrangers()
    else
        options.WithTls(certificates place.Certificates)

let private start (inside: string list) (command: string) (place: Place) =
    let words = inside @ [ "dotnet"; Processes.self; command ] @ place.Arguments
    new Processes.Program(words.Head, words.Tail)

/// A worker as a process; `inside` is a command that runs it elsewhere, such as in a network namespace.
let worker (inside: string list) (place: Place) = start inside "serve" place

/// A worker that has registered other risks.
let otherWorker (place: Place) = start [] "serve-other" place

/// Runs a body with a Redis server at an address. Where there is none on this machine, the test is skipped.
let withRedis (address: string) (body: string -> unit) =
    let port = Processes.freePort ()

    let server =
        try
            new Processes.Program(
                "redis-server",
                [ "--port"; string port; "--bind"; address; "--save"; ""; "--protected-mode"; "no" ]
            )
        with :? ComponentModel.Win32Exception ->
            skiptest "redis-server is not on this machine"

    use server = server
    server.WaitFor("Ready to accept connections", 30.0)
    body $"{address}:{port}"

/// A folder that is deleted afterwards.
let inFolder (body: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "curvature-orleans"

    try
        body folder.FullName
    finally
        folder.Delete true
