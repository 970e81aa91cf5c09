/// Wrong use, over and over: every call raises an error of the library or does what it says, and the process lives.
module Curvature.Tests.Torch.HostileCallTests

open System
open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

/// What a call does: raises an error whose message has a word, or returns.
type private Outcome =
    | Raises of Type * string
    | Returns

let private ofType<'E> word = Raises(typeof<'E>, word)

let private net () = Cases.mlp [ 8L; 8L; 2L ]
let private x () = torch.randn [| 3L; 8L |]
let private loss (net: TensorModule) (x: T) () = (net.call x).tanh().sum()
let private apply (operator: LinearOperator) = operator.Apply(vectorsOf 1L 2 operator) |> ignore

/// Makes an operator, does something, and multiplies.
let private after (change: TensorModule -> unit) () =
    let net, x = net (), x ()
    use curvature = TorchHessian.at (loss net x) (net.named_parameters ())
    change net
    apply curvature.Operator

let private at (loss: unit -> T) (net: TensorModule) =
    use curvature = TorchHessian.at loss (net.named_parameters ())
    apply curvature.Operator

let private withFlash (work: unit -> unit) =
    torch.backends.cuda.enable_flash_sdp true

    try
        work ()
    finally
        torch.backends.cuda.enable_flash_sdp false

let private fused () =
    let net = torch.nn.Linear(8L, 8L)
    let z = torch.randn [| 2L; 5L; 8L |]

    let loss () =
        let q = net.forward(z).unsqueeze 1L
        torch.nn.functional.scaled_dot_product_attention(q, q, q).pow(2.0.ToScalar()).sum()

    use curvature = TorchHessian.at loss (net.named_parameters ())
    apply curvature.Operator

let private calls: (string * Outcome * (unit -> unit)) list =
    [
        "an optimizer's step",
        ofType<DifferentiationException> "changed",
        after (fun net ->
            use optimizer = torch.optim.SGD(net.parameters (), 0.1)
            (loss net (x ()) ()).backward()
            optimizer.step () |> ignore)
        "an edit in place",
        ofType<DifferentiationException> "changed",
        after (fun net ->
            use _noGrad = torch.no_grad ()
            (Seq.head (net.parameters ())).add_(0.1.ToScalar()) |> ignore)
        "an edit of one bit behind torch's back",
        ofType<DifferentiationException> "changed",
        after (fun net ->
            let bytes = (Seq.last (net.parameters ())).bytes
            bytes[0] <- bytes[0] ^^^ 1uy)
        "a module that was disposed of", ofType<DisposedException> "disposed", after _.Dispose()
        "a module that became Float64",
        ofType<DisposedException> "replaced",
        after (fun net -> net.``to`` torch.ScalarType.Float64 |> ignore)
        "a zeroed gradient", Returns, after _.zero_grad()
        "a step of size 0", Returns, after (fun net -> net.train ())
        "a loss under no_grad",
        ofType<DifferentiationException> "no_grad",
        fun () ->
            let net, x = net (), x ()
            at (fun () -> use _noGrad = torch.no_grad () in loss net x ()) net
        "a loss in inference mode",
        ofType<DifferentiationException> "inference",
        fun () ->
            let net, x = net (), x ()
            at (fun () -> use _mode = torch.inference_mode () in loss net x ()) net
        "a detached loss",
        ofType<DifferentiationException> "detached",
        fun () ->
            let net, x = net (), x ()
            at (fun () -> (loss net x ()).detach()) net
        "a loss that was freed",
        ofType<DifferentiationException> "freed",
        fun () ->
            let net, x = net (), x ()
            let value = loss net x ()
            value.backward ()
            at (fun () -> value) net
        "a loss that is a matrix",
        ofType<ShapeException> "one number",
        fun () ->
            let net, x = net (), x ()
            at (fun () -> net.call x) net
        "a loss of whole numbers", ofType<DTypeException> "real", fun () -> at (fun () -> torch.tensor 3L) (net ())
        "no loss", ofType<DataException> "null", fun () -> at (fun () -> null) (net ())
        "a loss that is NaN",
        ofType<NonFiniteException> "NaN",
        fun () ->
            let net, x = net (), x ()
            at (fun () -> loss net x () * torch.tensor Single.NaN) net
        "a gradient that is infinite",
        ofType<NonFiniteException> "gradient",
        fun () ->
            let net, x = net (), x ()
            at (fun () -> (loss net x ()).sub(loss net x ()).abs().sqrt()) net
        "a linear loss",
        Returns,
        fun () ->
            let net = torch.nn.Linear(8L, 2L)
            let x = x ()
            use curvature = TorchHessian.at (fun () -> (net.forward x).sum()) (net.named_parameters ())
            let product = curvature.Operator.Apply(vectorsOf 1L 2 curvature.Operator)
            Expect.equal "zero" 0.0 (product.ToArray() |> Array.sumBy abs)
        "an unused parameter",
        Returns,
        fun () ->
            let net, other, x = net (), torch.nn.Linear(3L, 3L), x ()

            let all =
                Seq.append (net.named_parameters ()) [
                    for struct (n, p) in other.named_parameters () -> struct ("other." + n, p)
                ]

            use curvature = TorchHessian.at (loss net x) all

            let tail =
                Tensor.slice
                    1
                    (curvature.Layout.Size - 12)
                    12
                    (curvature.Operator.Apply(vectorsOf 1L 2 curvature.Operator))

            Expect.equal "zero" 0.0 (tail.ToArray() |> Array.sumBy abs)
        "an unused parameter, strictly",
        ofType<ParameterException> "other.bias",
        fun () ->
            let net, other, x = net (), torch.nn.Linear(3L, 3L), x ()

            let all =
                Seq.append (net.named_parameters ()) [
                    for struct (n, p) in other.named_parameters () -> struct ("other." + n, p)
                ]

            TorchHessian.ofRisk (TorchRisk.strict (TorchRisk.ofLoss (loss net x) all)) |> ignore
        "a disposed module at the start",
        ofType<CurvatureException> "disposed",
        fun () ->
            let net, x = net (), x ()
            net.Dispose()
            at (loss net x) net
        "a disposed parameter in a kept list",
        ofType<DisposedException> "disposed",
        fun () ->
            let net, x = net (), x ()
            let parameters = Seq.toList (net.named_parameters ())
            net.Dispose()
            TorchHessian.at (loss net x) parameters |> ignore
        "no parameters",
        ofType<ParameterException> "no parameters",
        fun () -> TorchHessian.at (loss (net ()) (x ())) [] |> ignore
        "frozen parameters",
        ofType<ParameterException> "no parameters",
        fun () ->
            let net = net ()

            for p in net.parameters () do
                p.requires_grad <- false

            TorchHessian.at (loss net (x ())) (net.named_parameters ()) |> ignore
        "parameters of two types",
        ofType<DTypeException> "Float64",
        fun () ->
            let net, other = net (), torch.nn.Linear(3L, 3L, dtype = Nullable torch.ScalarType.Float64)

            let all =
                Seq.append (net.named_parameters ()) [
                    for struct (n, p) in other.named_parameters () -> struct ("other." + n, p)
                ]

            TorchHessian.at (loss net (x ())) all |> ignore
        "shapes that do not fit in the model",
        ofType<TorchException> "mat1",
        fun () ->
            let net = net ()
            at (loss net (torch.randn [| 3L; 7L |])) net
        "a disposed input",
        ofType<DisposedException> "disposed",
        fun () ->
            let net, x = net (), x ()
            x.Dispose()
            at (loss net x) net
        "a vector of another length",
        ofType<ShapeException> "takes vectors",
        fun () ->
            let net, x = net (), x ()
            use curvature = TorchHessian.at (loss net x) (net.named_parameters ())
            curvature.Operator.Apply(Tensor.ones DType.Float32 [ 3 ]) |> ignore
        "a vector of another type",
        ofType<DTypeException> "Float32",
        fun () ->
            let net, x = net (), x ()
            use curvature = TorchHessian.at (loss net x) (net.named_parameters ())
            curvature.Operator.Apply(Tensor.ones DType.Float64 [ curvature.Layout.Size ]) |> ignore
        "a block of no vectors",
        Returns,
        fun () ->
            let net, x = net (), x ()
            use curvature = TorchHessian.at (loss net x) (net.named_parameters ())

            Expect.equal
                "shape"
                [| 0; curvature.Layout.Size |]
                (curvature.Operator.Apply(Tensor.zeros DType.Float32 [ 0; curvature.Layout.Size ])).Shape
        "fused attention", ofType<DifferentiationException> "enable_flash_sdp", fun () -> withFlash fused
        "attention that is not fused", Returns, fused
        "a criterion that ignores the outputs",
        ofType<DifferentiationException> "depend",
        fun () ->
            let net, x = net (), x ()
            TorchGaussNewton.at (fun () -> net.call x) (fun _ -> torch.ones 1L) (net.named_parameters ()) |> ignore
        "a criterion of many numbers",
        ofType<ShapeException> "one number",
        fun () ->
            let net, x = net (), x ()
            TorchGaussNewton.at (fun () -> net.call x) id (net.named_parameters ()) |> ignore
        "losses of another number than samples",
        ofType<ShapeException> "3 samples",
        fun () ->
            let net, x = net (), x ()
            TorchFisher.empirical _.sum() (fun () -> net.call x) (net.named_parameters ()) |> ignore
        "a loss without a model",
        ofType<OperatorException> "model",
        fun () ->
            let net, x = net (), x ()
            TorchGaussNewton.ofRisk (TorchRisk.ofLoss (loss net x) (net.named_parameters ())) |> ignore
        "an exception of the caller's",
        ofType<NotSupportedException> "mine",
        fun () -> at (fun () -> raise (NotSupportedException "mine")) (net ())
        "a batch without tensors",
        ofType<DataException> "samples",
        fun () ->
            let net, x = net (), x ()

            TorchHessian.ofRisk (
                TorchRisk.ofBatches Reduction.Mean (fun (_: string) -> loss net x ()) [ "a" ] (net.named_parameters ())
            )
            |> ignore
        "a reduction that there is not",
        ofType<ArgumentRangeException> "reduction",
        fun () ->
            let net, x = net (), x ()
            TorchRisk.ofBatches (enum 7) (fun (x: T) -> loss net x ()) [ x ] (net.named_parameters ()) |> ignore
        "a null list of parameters",
        ofType<ArgumentNullException> "parameters",
        fun () -> TorchHessian.at (loss (net ()) (x ())) null |> ignore
        "weights of another size",
        ofType<ShapeException> "one vector",
        fun () -> TorchParameters.write (Tensor.ones DType.Float32 [ 3 ]) ((net ()).named_parameters())
        "a third derivative",
        ofType<DifferentiationException> "third",
        fun () ->
            let net, x = net (), x ()
            let risk = TorchRisk.ofLoss (loss net x) (net.named_parameters ())
            let once theta = Tensor.sum (grad (RiskOracle.toFunction risk.Definition) theta)
            let twice theta = Tensor.sum (grad once theta)
            grad twice risk.Theta |> ignore
        "a tap that there is not",
        ofType<ParameterException> "there are: 0",
        fun () ->
            let net, x = net (), x ()
            TorchActivation.at (loss net x) "nowhere" net |> ignore
    ]

/// How often the list is gone through: 200 calls in all, and more.
let private rounds = 5

[<Tests>]
let tests =
    testList "Torch.HostileCallTests" [
        torchTest "200 hostile calls leave the process alive, each with the error that says what to do" (fun () ->
            let mutable made = 0

            for round in 1..rounds do
                for name, outcome, call in calls do
                    use _scope = torch.NewDisposeScope()
                    made <- made + 1

                    match outcome with
                    | Returns -> call ()
                    | Raises(expected, word) ->
                        let error = Expect.caught<exn> call

                        if not (expected.IsInstanceOfType error) || not (error.Message.Contains word) then
                            failtest $"{name}, round {round}: expected {expected.Name} with \"{word}\", got {error}"

            stdout.WriteLine $"{made} calls"
            Expect.isTrue $"{made} calls" (made >= 200)
            let net, x = net (), x ()
            at (loss net x) net)
    ]
