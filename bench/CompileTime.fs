namespace Curvature.Bench

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp

/// How long it takes to turn functions into plans, and how that grows with the function.
module CompileTime =

    /// Σ of what n steps x ↦ tanh(a·x) make of a vector.
    let private chain n (theta: Tensor) : Tensor =
        let mutable x = theta

        for _ in 1..n do
            x <- Tensor.tanh (x * 1.01)

        Tensor.sum x

    /// A point, and the loss of a network of narrow dense layers with tanh between them.
    let private network layers : Tensor * (Tensor -> Tensor) =
        let network = Network.mlp Layer.tanh (List.replicate (layers + 1) 4)
        let inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 8; 4 ]
        let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
        theta, (fun theta -> Tensor.sum (Tensor.square (Network.forward network theta inputs)))

    /// Seconds from a function to its result, which is computed but not looked at.
    let private time (f: unit -> 'T) =
        GC.Collect()
        let clock = Stopwatch.StartNew()
        let result = f ()
        GC.KeepAlive(box result)
        clock.Elapsed.TotalSeconds

    /// Seconds until a product with the Hessian is known at θ, beginning with nothing: recording, compiling, and
    /// running once.
    let private product (loss: Tensor -> Tensor) (theta: Tensor) =
        time (fun () -> (Operations.productsOf loss theta).Apply theta)

    /// The exponent p of seconds ~ sizeᵖ, by least squares of the logarithms.
    let private exponent (points: (int * float) list) =
        let x = points |> List.map (fst >> float >> log)
        let y = points |> List.map (snd >> log)
        let meanX, meanY = List.average x, List.average y
        let covariance = List.map2 (fun x y -> (x - meanX) * (y - meanY)) x y |> List.sum
        covariance / (x |> List.sumBy (fun x -> (x - meanX) ** 2.0))

    let run () =
        let theta = Tensor.ofArray [ 4 ] [| 0.3; -0.2; 0.5; 0.1 |]
        // The runtime compiles the compiler first.
        for _ in 1..20 do
            product (chain 20) theta |> ignore

        printfn "Hv of a chain of n scale-and-tanh steps, from the function to the first product"

        let seconds =
            [
                for n in [ 250; 500; 1000; 2000; 4000; 10000 ] do
                    let seconds = product (chain n) theta
                    printfn $"  n = {n, 5}: {seconds:F2} s"
                    n, seconds
            ]

        printfn $"  time grows as n to the power of {exponent seconds:F2}"
        printfn "a derivative of tanh, from the function to the first value"

        for order in [ 10; 12; 14 ] do
            let scalar = Tensor.scalar DType.Float64 0.3
            printfn $"  order {order}: {time (fun () -> Compile.func (diffn order Tensor.tanh) scalar):F2} s"

        let theta, loss = network 2000
        printfn $"Hv of a network of 2,000 layers: {product loss theta:F2} s"
