/// Hessians with respect to outputs of parts of a module.
module Curvature.Tests.Torch.ActivationTests

open System
open System.Collections
open System.Reflection
open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

/// How many hooks the parts of a module have.
let private hooks (m: torch.nn.Module) : int =
    let rec field (kind: Type) =
        match kind.GetField("post_hooks", BindingFlags.NonPublic ||| BindingFlags.Instance) with
        | null -> field kind.BaseType
        | found -> found

    [
        for struct (_, part) in m.named_modules () -> ((field (part.GetType())).GetValue part :?> ICollection).Count
    ]
    |> List.sum

[<Tests>]
let tests =
    testList "Torch.ActivationTests" [
        torchTest "the Hessian at a tap is the library's, by the same name" (fun () ->
            let net = Cases.mlp [ 4L; 6L; 5L; 3L ]
            net.``to`` torch.ScalarType.Float64 |> ignore
            let x, y = torch.randn ([| 7L; 4L |], dtype = System.Nullable torch.ScalarType.Float64), classes 3L 7L
            let own = Network.mlp Layer.tanh [ 4; 6; 5; 3 ]
            let theta, own = Network.load DType.Float64 (TorchParameters.ofStateDict (net.state_dict ())) own
            let loss () = crossEntropy y (net.call x)
            let ownLoss = Loss.softmaxCrossEntropy Reduction.Mean (Exchange.ofTorch y)
            let taps = TorchActivation.taps loss net
            Expect.equal "names" [ "0"; "1"; "2"; "3"; "4" ] (taps |> List.map _.Name)
            Expect.equal "shape" [| 7; 6 |] taps[1].Shape

            for tap in [ "0"; "1"; "2"; "4" ] do
                let expected = ActivationHessian.at own ownLoss tap theta (Exchange.ofTorch x)
                use found = TorchActivation.at loss tap net
                let v = vectorsOf 6L 3 expected
                agree tap 1e-12 (expected.Apply v) (found.Operator.Apply v))

        torchTest "hooks are gone afterwards, and a part that runs twice has two taps" (fun () ->
            let net = Cases.mlp [ 3L; 3L ]
            let x = torch.randn [| 2L; 3L |]

            let loss () =
                let once = (net.call x).tanh()
                (net.call once).square().sum()

            Expect.equal "taps" [ "0"; "0#2" ] (TorchActivation.taps loss net |> List.map _.Name)
            use second = TorchActivation.at loss "0#2" net
            // The second output is squared: its Hessian is twice the identity.
            let v = vectorsOf 1L 2 second.Operator
            agree "twice" 1e-6 (2.0 * v) (second.Operator.Apply v)
            Expect.equal "hooks" 0 (hooks net)
            use _noGrad = torch.no_grad ()
            (Seq.head (net.parameters ())).add_(0.5.ToScalar()) |> ignore
            Expect.error<DifferentiationException> [ "changed" ] (fun () -> second.Operator.Apply v |> ignore))
    ]
