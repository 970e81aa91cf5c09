module Curvature.Tests.MessageTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp

let private shards = lazy (Digits.shards DType.Float64 3 -1)

let private sizeOf (_: int64) = ValueSome (Digits.theta DType.Float64).Size

let private answer (server: ShardServer) (message: byte[]) : ShardAnswer =
    ShardAnswers.decode (ReadOnlyMemory(server.Answer(ReadOnlyMemory message)))

let private questions =
    lazy
        (let theta = Digits.theta DType.Float64
         let block = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 2; theta.Size ]
         let drawn = Probe.draw (Probe.sparse 0.25) (Key.OfSeed 2L) theta.Size (3, 4) DType.Float64

         [
             RiskQuestion.Loss
             RiskQuestion.LossGradient true
             RiskQuestion.Point RiskMatrix.GaussNewton
             RiskQuestion.Products(RiskMatrix.Hessian, block)
             RiskQuestion.Forms(RiskMatrix.ExactFisher("gaussian", 0.5), drawn)
             RiskQuestion.BlockForms(
                 RiskMatrix.DrawnFisher("categorical", 1.0, 3, Key.OfSeed 9L),
                 drawn,
                 [| struct (0, 5) |]
             )
             RiskQuestion.FormsByBatch(RiskMatrix.Hessian, block)
             RiskQuestion.LossGrid
                 {
                     Directions = [ "d", theta ]
                     Steps = [| [| 0.5 |]; [| 1.0 |] |]
                     NeedsHessian = true
                     KeepsNonFinite = false
                 }
             RiskQuestion.LossesAt [| theta |]
         ])

let private point =
    lazy
        (ShardRequest.SetPoint
            {
                Id = 7L
                Risk = "mean"
                Theta = Digits.theta DType.Float64
                FirstBatches = [| 0; 2; 5 |]
                Fingerprints = [| "a"; "b"; "c" |]
            })

/// Every kind of message.
let private messages =
    lazy
        [
            ShardMessage.encode ShardRequest.Hello
            ShardMessage.encode (ShardRequest.Describe "mean")
            ShardMessage.encode point.Value
            ShardMessage.encode (ShardRequest.Release 7L)
            for question in questions.Value do
                ShardMessage.encode (ShardRequest.Ask(7L, "a name", question))
        ]

[<Tests>]
let tests =
    testList "messages" [
        test "every message survives its bytes" {
            for message in messages.Value do
                let range: GroupRange = struct (1, 3)
                let ranged = ShardMessage.withRange range message
                let struct (request, found) = ShardMessage.decode sizeOf (ReadOnlyMemory ranged)
                Expect.equal "the range" range found
                Expect.equal "the message" ranged (ShardMessage.withRange range (ShardMessage.encode request))
        }

        test "vectors of a probe travel as their key, and are the same at the other end" {
            for probe in [ Probe.rademacher; Probe.gaussian; Probe.sphere; Probe.sparse 0.1; Probe.fixedSparse 3 ] do
                for dtype in [ DType.Float32; DType.Float64 ] do
                    let drawn = Probe.draw probe (Key.OfSeed 3L) 1000 (5, 7) dtype
                    let question = RiskQuestion.Forms(RiskMatrix.Hessian, drawn)
                    let message = ShardMessage.encode (ShardRequest.Ask(7L, "Hessian", question))
                    Expect.isTrue $"{probe}: {message.Length} bytes" (message.Length < 100)

                    match ShardMessage.decode (fun _ -> ValueSome 1000) (ReadOnlyMemory message) with
                    | struct (ShardRequest.Ask(_, _, RiskQuestion.Forms(_, other)), _) ->
                        Expect.sameBits drawn other
                        Expect.equal "the type" dtype other.DType
                    | _ -> failtest "another message came out"
        }

        test "a message that is cut anywhere, or has a byte too many, is refused" {
            let server = ShardServer shards.Value

            answer server (ShardMessage.encode point.Value) |> ignore

            for message in messages.Value do
                let lengths = Seq.append (seq { 0 .. min 300 (message.Length - 1) }) [ message.Length - 1 ]

                for length in Seq.distinct lengths do
                    match answer server message[.. length - 1] with
                    | ShardAnswer.Failed("ClusterException", _) -> ()
                    | other -> failtest $"{length} of {message.Length} bytes: {other}"

                match answer server (Array.append message [| 0uy |]) with
                | ShardAnswer.Failed("ClusterException", text) -> Expect.stringContains "why" "too many" text
                | other -> failtest $"{other}"
        }

        test "garbage is answered with an error, and takes no memory" {
            let server = ShardServer shards.Value
            let random = Random 5
            let before = GC.GetTotalAllocatedBytes()

            for _ in 1..2000 do
                let garbage = Array.zeroCreate<byte>(random.Next 200)
                random.NextBytes garbage

                match answer server garbage with
                | ShardAnswer.Failed("ClusterException", _) -> ()
                | other -> failtest $"{other}"

            // Bytes after a right beginning, also where the point is known.
            answer server (ShardMessage.encode point.Value) |> ignore

            for message in messages.Value do
                for _ in 1..200 do
                    let damaged = Array.copy message

                    for _ in 1..3 do
                        damaged[8 + random.Next(min 120 (damaged.Length - 8))] <- byte (random.Next 256)

                    match answer server damaged with
                    | ShardAnswer.Identity _
                    | ShardAnswer.Done
                    | ShardAnswer.NeedsPoint
                    | ShardAnswer.Sums _
                    | ShardAnswer.Failed _ -> ()

            let allocated = GC.GetTotalAllocatedBytes() - before
            Expect.isTrue $"{allocated} bytes" (allocated < 2_000_000_000L)
        }

        test "a message over the limit, and one of another version, are refused" {
            let server = ShardServer(shards.Value, 1000L)

            match answer server (Array.zeroCreate 1001) with
            | ShardAnswer.Failed("ClusterException", text) -> Expect.stringContains "why" "limit of 1000" text
            | other -> failtest $"{other}"

            let other = ShardMessage.encode ShardRequest.Hello
            other[4] <- 9uy

            match answer server other with
            | ShardAnswer.Failed("ClusterException", text) -> Expect.stringContains "why" "version 9" text
            | other -> failtest $"{other}"

            Expect.error<ArgumentRangeException> [ "0 bytes" ] (fun () -> ShardServer(shards.Value, 0L) |> ignore)
        }

        test "answers that are damaged are refused" {
            let whole =
                ShardAnswers.encode (
                    ShardAnswer.Sums(ShardPass.describe "mean" (shards.Value.Find "mean").Definition (struct (0, 3)))
                )

            for length in 0 .. whole.Length - 1 do
                Expect.error<ClusterException> [] (fun () ->
                    ShardAnswers.decode (ReadOnlyMemory whole[.. length - 1]) |> ignore)
        }
    ]
