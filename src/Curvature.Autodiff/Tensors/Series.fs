namespace Curvature

/// The Taylor coefficients c₁ … c_K of a value along a curve x(t) = x + c₁t + … + c_K tᴷ. The value itself is kept
/// apart, and a missing coefficient is zero.
type internal Coefficients = Tensor voption[]

/// The rule of a nonlinear primitive for Taylor coefficients. A primitive without one is linear, and its derivative
/// maps every coefficient by itself.
type internal ITaylorRule =

    /// The coefficients of each result, from those of each operand.
    abstract Series: primals: Tensor[] * results: Tensor[] * coefficients: Coefficients[] -> Coefficients[]

/// Taylor coefficients through primitives.
module internal Taylor =

    /// The order of the series of operands, of which at least one is given.
    let order (coefficients: Coefficients[]) = coefficients[0].Length

    let private byDerivative (primitive: Primitive) primals (results: Tensor[]) (coefficients: Coefficients[]) =
        let images =
            Array.init (order coefficients) (fun k ->
                let tangents = coefficients |> Array.map (Array.item k)

                if tangents |> Array.exists _.IsSome then
                    primitive.Jvp(primals, results, tangents)
                else
                    results |> Array.map (fun _ -> ValueNone))

        Array.init results.Length (fun r -> images |> Array.map (Array.item r))

    /// The coefficients of each result of a primitive, from those of each operand.
    let series (primitive: Primitive) (primals: Tensor[]) (results: Tensor[]) (coefficients: Coefficients[]) =
        match box primitive with
        | :? ITaylorRule as rule when order coefficients > 1 -> rule.Series(primals, results, coefficients)
        | _ -> byDerivative primitive primals results coefficients

    /// Coefficient k of a product, Σ multiply(aᵢ, b_{k−i}), where coefficient 0 of a and b is their value.
    let product (multiply: Tensor -> Tensor -> Tensor) (a: int -> Tensor voption) (b: int -> Tensor voption) (k: int) =
        let mutable sum = ValueNone

        for i in 0..k do
            // What b is where a is zero is not asked: it may not be known yet.
            match a i with
            | ValueNone -> ()
            | ValueSome ai -> sum <- Tangent.add sum (b (k - i) |> Tangent.map (multiply ai))

        sum
